// table.mjs - the results as text.

const digits = (value) => (value >= 1000 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));
const figure = (value) => (value === undefined ? "-" : digits(value));

const names = {
  limit: "limit", node: "Node", oneShard: "one shard", uncompressed: "uncompressed", bare: "no guards",
  fixture: "a listener in C++",
};

function ratioText({ against, median, lower, upper, atMost, reached }) {
  const verdict = atMost === undefined ? "report" : `at most ${atMost}: ${reached ? "reached" : "MISSED"}`;
  const share = (value) => value.toFixed(3);
  return `${share(median)} (${share(lower)}..${share(upper)}) of ${names[against]}, ${verdict}`;
}

function boundText({ bound, medians, boundReached }) {
  return `${figure(medians.tidewire)} bytes, at most ${figure(bound)}: ${boundReached ? "reached" : "MISSED"}`;
}

function verdicts(result) {
  if (result.error) return [`NOT MEASURED: ${result.error}`];
  const lines = result.ratios.map(ratioText);
  const steps = Object.entries(result.steps).map(([name, ns]) => `${name} ${ns.toFixed(0)}`);
  if (steps.length > 0) lines.push(`nanoseconds: ${steps.join(", ")}`);
  if (result.bound !== undefined) lines.push(boundText(result));
  return lines.length > 0 ? lines : ["-"];
}

function growthText(medians, small, large) {
  return medians[small] === undefined ? "-" : `${figure(medians[small])}>${figure(medians[large])}`;
}

function cells(result) {
  const { medians = {}, users = {}, unit } = result;
  if (medians.tidewireLarge !== undefined) {
    return [growthText(medians, "tidewire", "tidewireLarge"), "", growthText(medians, "limit", "limitLarge"), "-"];
  }
  const user = unit === "cpu_us" && users.tidewire !== undefined ? `(${figure(users.tidewire)})` : "";
  return [figure(medians.tidewire), user, figure(medians.limit), figure(medians.node)];
}

export function printTable(results) {
  console.log();
  const widths = [5, 38, 13, 8, 13, 9];
  const line = (columns) => columns.map((text, i) => text.padEnd(widths[i] ?? 0)).join(" ").trimEnd();
  const title = "what (us of server CPU, or bytes)";
  console.log(line(["row", title, "tidewire", "(user)", "limit", "Node", "median ratio (quartiles)"]));
  for (const result of results) {
    const [first, ...others] = verdicts(result);
    console.log(line([result.id, result.what, ...cells(result), first]));
    for (const other of others) console.log(line(["", "", "", "", "", "", other]));
  }
}

export function printAnchors(check) {
  for (const { name, value, atMost, good } of check.anchors) {
    const shown = value < 1 ? value.toFixed(3) : digits(value);
    console.log(`  ${name.padEnd(22)} ${shown.padStart(7)}  at most ${atMost}${good ? "" : "  FAILED"}`);
  }
  if (check.error) console.log(`  NOT MEASURED: ${check.error}`);
  console.log(check.valid ? "  the limit counts" : "  INVALID: no ratio against the limit is given");
}
