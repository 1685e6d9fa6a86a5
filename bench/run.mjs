// run.mjs - the benchmark: rows of performance targets, tidewire against the limit and against Node, interleaved.
//
//   node run.mjs [ROW ...|anchors] [--pairs 11] [--seconds 1] [--quick] [--no-instructions] [--flush auto|send|uring]
//                [--json FILE] [--baseline FILE] [--bin DIRECTORY]
//
// Exit code 0: every row was measured (not: was fast); 1: one was not; 2: usage. See README.md for how to read the table.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { checkAnchors, withoutLimitRatios } from "./runner/anchors.mjs";
import { makeApplication } from "./runner/application.mjs";
import { countingTool, instructionsPerMessage } from "./runner/instructions.mjs";
import { judgeRow, measureRow } from "./runner/measure.mjs";
import { endAll } from "./runner/processes.mjs";
import { countedRows, makeRows } from "./runner/rows.mjs";
import { printAnchors, printTable } from "./runner/table.mjs";

const GROWTH_MAX = 1.05; // instructions per message against the baseline: more is a finding
const BUSY_LOAD = 0.5; // of the last minute, before the first run
const ANCHOR_PAIRS = 3; // of anchors that no asked row measures

function parse() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      pairs: { type: "string" },
      seconds: { type: "string" },
      quick: { type: "boolean", default: false },
      "no-instructions": { type: "boolean", default: false },
      flush: { type: "string" },
      json: { type: "string" },
      baseline: { type: "string" },
      bin: { type: "string", default: "build/release/bin" },
    },
  });
  const rows = positionals.flatMap((text) => text.split(",")).map((id) => id.replace(/^p(?=\d)/, "P"));
  const pairs = Number(values.pairs ?? (values.quick ? 3 : 11));
  const seconds = Number(values.seconds ?? (values.quick ? 0.3 : 1));
  if (!(pairs >= 1 && pairs <= 101 && seconds > 0 && seconds <= 30)) throw new Error("--pairs or --seconds is out of range");
  return { ...values, rows, pairs, seconds };
}

function selectRows(all, wanted) {
  if (wanted.length === 0) return all;
  if (wanted.includes("anchors")) return [];
  const ids = all.map((row) => row.id);
  const unknown = wanted.filter((id) => !ids.includes(id));
  if (unknown.length > 0) {
    const text = `no such row: ${unknown.join(" ")} (there are ${ids.join(" ")} anchors)`;
    throw Object.assign(new Error(text), { exitCode: 2 });
  }
  return all.filter((row) => wanted.includes(row.id));
}

function makeCertificate(directory) {
  const tls = { certificate: join(directory, "certificate.pem"), key: join(directory, "key.pem") };
  const subject = ["-subj", "/CN=localhost", "-days", "2", "-keyout", tls.key, "-out", tls.certificate];
  const kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  execFileSync("openssl", [...kind, ...subject], { stdio: "ignore", timeout: 20_000 });
  return tls;
}

const note = (text) => process.stderr.write(text);

async function measureRows(rows, settings) {
  const results = [];
  for (const row of rows) {
    note(`${row.id} ${row.what} `);
    try {
      const reports = await measureRow(row, Object.keys(row.contestants), settings.pairs, settings, () => note("."));
      results.push({ ...judgeRow(row, reports), reports });
    } catch (error) {
      results.push({ id: row.id, what: row.what, error: error.message });
    }
    note("\n");
  }
  return results;
}

async function countInstructions(rows, settings, baseline) {
  const tool = countingTool();
  if (tool === null) return { tool };
  const counted = { tool };
  for (const row of rows.filter(({ id }) => countedRows[id])) {
    counted[row.id] = {};
    for (const key of ["tidewire", "limit", "bare"].filter((each) => row.contestants[each])) {
      note(`instructions ${row.id} ${key}\n`);
      try {
        const perMessage = await instructionsPerMessage(tool, row.contestants[key], countedRows[row.id], settings.programs);
        counted[row.id][key] = perMessage;
        const before = baseline?.instructions?.[row.id]?.[key];
        if (before && perMessage > before * GROWTH_MAX) counted[row.id][`${key}GrewFrom`] = before;
      } catch (error) {
        counted[row.id][`${key}Error`] = error.message;
      }
    }
  }
  return counted;
}

function printInstructions({ tool, ...rows }) {
  console.log(`\nUser-space instructions per message, plain sends (${tool ?? "neither perf nor valgrind counts here"})`);
  for (const [id, counts] of Object.entries(rows)) {
    const figure = (value) => (typeof value === "number" ? value.toFixed(0) : value);
    const text = Object.entries(counts).map(([key, value]) => `${key} ${figure(value)}`);
    console.log(`  ${id.padEnd(5)} ${text.join(", ")}`);
  }
}

async function main(options, directory) {
  const bin = resolve(options.bin);
  const program = (name) => join(bin, `tidewire-${name}`);
  const programs = { fixture: program("fixture"), limit: program("limit"), load: program("load"), application: join(bin, "tidewire"), flush: options.flush };
  const { pairs, seconds } = options;
  const anchorPairs = options.rows.includes("anchors") ? pairs : Math.min(pairs, ANCHOR_PAIRS);
  const settings = { programs, pairs, anchorPairs, seconds, warmup: options.quick ? 0.15 : 0.3, deadline: 45 };
  const all = makeRows(makeCertificate(directory), makeApplication(directory));
  const rows = selectRows(all, options.rows);
  const baseline = options.baseline && JSON.parse(readFileSync(options.baseline, "utf8"));

  const [load] = loadavg();
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, kernel: release(), node: process.version, load };
  if (machine.load > BUSY_LOAD) note(`the machine is busy (load ${machine.load.toFixed(1)}): figures will be noisy\n`);

  let results = await measureRows(rows, settings);
  const needsLimit = options.rows.includes("anchors") || rows.some((row) => row.contestants.limit);
  const check = needsLimit ? await checkAnchors(all, results, settings, note) : null;
  if (check && !check.valid) results = results.map(withoutLimitRatios);
  const counting = !options["no-instructions"] && !options.quick && rows.length > 0;
  const instructions = counting ? await countInstructions(rows, settings, baseline) : null;

  const conditions = `kernel ${machine.kernel}, Node.js ${machine.node}, load before ${machine.load.toFixed(1)}`;
  console.log(`${pairs} pairs of ${seconds} s, ${conditions}`);
  if (results.length > 0) printTable(results);
  if (check) {
    console.log(`\nThe limit (flush ${check.flush ?? "unknown"}) against Node in this run`);
    printAnchors(check);
  }
  if (instructions) printInstructions(instructions);
  if (options.json) {
    const document = { date: new Date().toISOString(), machine, pairs, seconds, limit: check, instructions, rows: results };
    writeFileSync(options.json, `${JSON.stringify(document, null, 1)}\n`);
  }
  return results.some((result) => result.error) || check?.error ? 1 : 0;
}

let options;
try {
  options = parse();
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exit(2);
}
const directory = mkdtempSync(join(tmpdir(), "tidewire-bench-"));
process.on("exit", () => {
  endAll();
  rmSync(directory, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
process.exitCode = await main(options, directory).catch((error) => {
  console.error(`bench: ${error.message}`);
  return error.exitCode ?? 1;
});
