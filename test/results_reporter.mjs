// test/results_reporter.mjs - a node:test reporter that counts leaves (tests, not their describe blocks) and says so in one
// line of JSON: {passed, failed, skipped, failures}.
export default async function* results(events) {
  const counts = { passed: 0, failed: 0, skipped: 0, failures: [] };
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const suite = data.details?.type === 'suite';
    if (type === 'test:fail') {
      if (suite && data.details.error?.failureType === 'subtestsFailed') continue;
      counts.failed += 1;
      counts.failures.push(data.name);
    } else if (suite) {
      continue;
    } else if (data.skip !== undefined) {
      counts.skipped += 1;
    } else {
      counts.passed += 1;
    }
  }
  yield `${JSON.stringify(counts)}\n`;
}
