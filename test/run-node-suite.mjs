#!/usr/bin/env node
// test/run-node-suite.mjs - runs Node test files one after the other, each in its own process:
//
//   node run-node-suite.mjs [--results FILE] [--timeout SECONDS] SUITE...
//
// SUITE is a file, or a folder (every *.test.mjs in it). Prints the spec report, writes {passed, failed, skipped, failures, suites}
// to FILE, exits non-zero when a test failed, when a file broke off, or when nothing ran.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import path from 'node:path';

const here = path.dirname(fileURLToPath(import.meta.url));
const { values, positionals } = parseArgs({
  options: { results: { type: 'string' }, timeout: { type: 'string', default: '300' } },
  allowPositionals: true,
});

const isSuite = (name) => name.endsWith('.test.mjs');
const files = positionals.flatMap((each) => {
  const file = path.resolve(each);
  return statSync(file).isDirectory() ? readdirSync(file).filter(isSuite).sort().map((name) => path.join(file, name)) : [file];
});

const scratch = mkdtempSync(path.join(tmpdir(), 'tidewire-suite-'));

function run(file) {
  const counts = path.join(scratch, 'counts.json');
  rmSync(counts, { force: true });
  const reporters = [
    '--test-reporter=spec', '--test-reporter-destination=stdout',
    `--test-reporter=${path.join(here, 'results_reporter.mjs')}`, `--test-reporter-destination=${counts}`,
  ];
  console.log(`== ${path.relative(process.cwd(), file)}`);
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...reporters, file], { stdio: 'inherit' });
    const watchdog = setTimeout(() => child.kill('SIGKILL'), Number(values.timeout) * 1000);
    child.once('exit', (code, signal) => {
      clearTimeout(watchdog);
      resolve({ suite: path.basename(file), ...readCounts(counts, code === 0 ? 0 : 1, code ?? signal) });
    });
  });
}

// A file that broke off before its reporter ended counts as one failure.
function readCounts(counts, failedAtLeast, ending) {
  try {
    const seen = JSON.parse(readFileSync(counts, 'utf8'));
    return { ...seen, failed: Math.max(seen.failed, failedAtLeast) };
  } catch {
    return { passed: 0, failed: 1, skipped: 0, failures: [`ended with ${ending}`] };
  }
}

// A container may forbid io_uring: then the suites that ask for it are skipped, and say so.
function ioUringForbidden() {
  if (process.env.TIDEWIRE_FLUSH !== 'uring' || !process.env.TIDEWIRE_BIN_DIR) return false;
  const fixture = path.join(process.env.TIDEWIRE_BIN_DIR, 'tidewire-fixture');
  const seen = spawnSync(fixture, ['socketio', '--port', '0', '--flush', 'uring'], { timeout: 1000, encoding: 'utf8' });
  return seen.status === 1 && /io_uring/.test(seen.stderr);
}
if (ioUringForbidden()) {
  console.log('skipped: the kernel or the container forbids io_uring');
  if (values.results) writeFileSync(values.results, '{"passed": 0, "failed": 0, "skipped": 1}\n');
  process.exit(0);
}

const suites = [];
for (const file of files) suites.push(await run(file));
rmSync(scratch, { recursive: true, force: true });

const sum = (key) => suites.reduce((total, suite) => total + suite[key], 0);
const total = {
  passed: sum('passed'),
  failed: sum('failed'),
  skipped: sum('skipped'),
  failures: suites.flatMap((suite) => suite.failures.map((name) => `${suite.suite}: ${name}`)),
  suites,
};
if (values.results) writeFileSync(values.results, `${JSON.stringify(total, null, 2)}\n`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
for (const failure of total.failures) console.log(`  failed: ${failure}`);
process.exit(total.failed === 0 && total.passed + total.skipped > 0 ? 0 : 1);
