// instructions.mjs - user-space instructions per message, which noise does not touch.
//
// Counted by perf where the machine has a counter, else under callgrind. Two runs of different length; the difference of the
// counts divided by the difference of the messages leaves start-up and connecting out. Plain sends, since callgrind does not
// follow io_uring.
import { execFileSync, spawn } from "node:child_process";
import { freePort, runLoad, serverCommand, startServer } from "./processes.mjs";

const LONGER = 3; // the second run, in lengths of the first
const DEADLINE_SECONDS = 120;

function perfWorks() {
  try {
    const options = { encoding: "utf8", stdio: ["ignore", "ignore", "pipe"], timeout: 5_000 };
    execFileSync("sh", ["-c", "perf stat -x, -e instructions:u true 2>&1 >/dev/null | grep -q '^[1-9][0-9]*,'"], options);
    return true;
  } catch {
    return false;
  }
}

function valgrindWorks() {
  try {
    execFileSync("valgrind", ["--version"], { stdio: "ignore", timeout: 5_000 });
    return true;
  } catch {
    return false;
  }
}

export function countingTool() {
  if (perfWorks()) return "perf";
  return valgrindWorks() ? "callgrind" : null;
}

async function countWithCallgrind(command, port, load, program) {
  const server = await startServer(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", ...command], port);
  let report;
  let errors;
  try {
    report = await runLoad(program, server, load, DEADLINE_SECONDS);
  } finally {
    errors = await server.stop();
  }
  const collected = /Collected\s*:\s*(\d+)/.exec(errors);
  if (!collected) throw new Error(`callgrind printed no count: ${errors.trim().split("\n").pop()}`);
  return { instructions: Number(collected[1]), messages: report.count };
}

async function countWithPerf(command, port, load, program) {
  const server = await startServer(command, port);
  const perfArguments = ["stat", "-x,", "-e", "instructions:u", "-p", String(server.pid)];
  const perf = spawn("perf", perfArguments, { stdio: ["ignore", "ignore", "pipe"] });
  let output = "";
  perf.stderr.on("data", (data) => (output += data));
  const ended = new Promise((resolve) => perf.once("close", resolve));
  let report;
  try {
    report = await runLoad(program, server, load, DEADLINE_SECONDS);
  } finally {
    perf.kill("SIGINT");
    await ended;
    await server.stop();
  }
  return { instructions: Number(/^(\d+),/m.exec(output)?.[1]), messages: report.count };
}

export async function instructionsPerMessage(tool, contestant, messages, programs) {
  const count = tool === "perf" ? countWithPerf : countWithCallgrind;
  const runs = [];
  for (const length of [messages, messages * LONGER]) {
    const port = await freePort();
    const command = serverCommand(contestant.server, { ...programs, flush: "send" }, port, contestant.arguments);
    const load = [...contestant.load, "--warmup", "0", "--messages", String(length)];
    runs.push(await count(command, port, load, programs.load));
  }
  const [short, long] = runs;
  return (long.instructions - short.instructions) / (long.messages - short.messages);
}
