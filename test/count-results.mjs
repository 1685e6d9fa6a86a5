// test/count-results.mjs BUILD...: adds up the cases of all suites, from the JSON that GoogleTest and run-node-suite.mjs write,
// and prints "N passed, N failed". A ctest entry without a result file broke off: it counts as one failure.
import { existsSync, readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import path from 'node:path';

let passed = 0;
let failed = 0;
let skipped = 0;

function count(file) {
  const seen = JSON.parse(readFileSync(file, 'utf8'));
  if (seen.testsuites === undefined) return seen;  // a Node suite, or a corpus replay
  const skips = seen.testsuites.flatMap((suite) => suite.testsuite).filter((each) => each.result === 'SKIPPED').length;
  return { passed: seen.tests - seen.failures - skips, failed: seen.failures, skipped: skips };
}

for (const build of process.argv.slice(2)) {
  const last = path.join(build, 'Testing/Temporary/LastTestsFailed.log');
  const broken = new Set(existsSync(last) ? readFileSync(last, 'utf8').split('\n').map((line) => line.split(':')[1]) : []);
  const { tests } = JSON.parse(execFileSync('ctest', ['--show-only=json-v1'], { cwd: build, maxBuffer: 1 << 26 }));
  for (const { name } of tests) {
    const file = path.join(build, 'results', `${name}.json`);
    if (!existsSync(file)) {
      // Entries that write no result count as one case; those that were not chosen this time, not at all.
      if (broken.has(name)) failed += 1;
      continue;
    }
    const seen = count(file);
    passed += seen.passed;
    failed += broken.has(name) ? Math.max(1, seen.failed) : seen.failed;
    skipped += seen.skipped;
  }
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
