// processes.mjs - starts the servers and the generator, each on its own core, and ends what it started.
import { execFile, spawn } from "node:child_process";
import { createServer } from "node:net";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";

const SERVER_CORE = "0";
const GENERATOR_CORE = "1";
const START_MS_MAX = 15_000;
const STOP_MS_MAX = 10_000;
const peer = (name) => fileURLToPath(new URL(`../peers/${name}.mjs`, import.meta.url));

const running = new Set();
const cores = cpus().length;
const pinned = (core, command) => (cores > 1 ? ["taskset", "-c", core, ...command] : command);

export function endAll() {
  for (const child of running) child.kill("SIGKILL");
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

// The command line of a server of that kind. `prefix` goes before the program (valgrind).
export function serverCommand(kind, programs, port, extra = [], prefix = []) {
  const commands = {
    tidewire: [programs.fixture, "bench"],
    limit: [programs.limit],
    node: [process.execPath, peer("node")],
    projects: [process.execPath, peer("projects")],
    application: [programs.application, "serve", "--shards", "1"],
  };
  const flush = programs.flush && commands[kind][0] !== process.execPath ? ["--flush", programs.flush] : [];
  return [...prefix, ...commands[kind], "--port", String(port), ...flush, ...extra];
}

// Resolves once the server has printed `listening on ...` (`tidewire listens on ...`). stop() resolves to what it wrote on stderr.
export async function startServer(command, port) {
  const [program, ...rest] = pinned(SERVER_CORE, command);
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let output = "";
  let errors = "";
  const ended = new Promise((resolve) => child.once("close", resolve));
  ended.then(() => running.delete(child));
  child.stderr.on("data", (data) => (errors = (errors + data).slice(-20_000)));
  await new Promise((resolve, reject) => {
    const name = command.join(" ");
    const timer = setTimeout(() => (child.kill("SIGKILL"), reject(new Error(`${name}: does not listen`))), START_MS_MAX);
    const settle = (action, value) => (clearTimeout(timer), action(value));
    child.once("error", (error) => settle(reject, error));
    child.once("close", (code) => {
      settle(reject, new Error(`${name}: ended with ${code} ${errors.trim().split("\n").pop()}`));
    });
    child.stdout.on("data", (data) => {
      output = (output + data).slice(-20_000);
      if (/listen(ing|s) on \S+/.test(output)) settle(resolve);
    });
  });
  const stop = async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
    await ended;
    clearTimeout(timer);
    return errors;
  };
  return { pid: child.pid, port, stop, output: () => output };
}

// One run of the generator; its report, or an error if an answer was wrong or missing.
export function runLoad(program, server, loadArguments, deadlineSeconds) {
  const where = ["--port", String(server.port), "--pid", String(server.pid), "--deadline", String(deadlineSeconds)];
  const command = pinned(GENERATOR_CORE, [program, ...loadArguments, ...where]);
  return new Promise((resolve, reject) => {
    const timeout = (deadlineSeconds + 5) * 1000;
    const child = execFile(command[0], command.slice(1), { timeout, killSignal: "SIGKILL" }, (error, output, errors) => {
      running.delete(child);
      let report;
      try {
        report = JSON.parse(output);
      } catch {
        return reject(error ?? new Error(`the generator printed no report: ${errors}`));
      }
      if (report.valid) resolve(report);
      else reject(new Error(report.reason));
    });
    running.add(child);
  });
}
