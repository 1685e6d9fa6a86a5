// Our JSON against Node's: the same texts accepted, the same refused, and what Value writes back means the same.
//
//   node test/e2e/json_reference.mjs <path of json_verdicts> [seed] [count]
//
// Deliberate differences, each counted and none else allowed: nesting over 512, numbers over 32 characters.
import { spawnSync } from "node:child_process";

const [program, seedText = "1", countText = "20000"] = process.argv.slice(2);
const count = Number(countText);
let state = Number(seedText) >>> 0;

// mulberry32: small, seeded, good enough to choose mutations.
function random(below) {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) % below;
}
const pick = (list) => list[random(list.length)];

const seeds = [
  "null", "true", "false", "0", "-0", "1.5e3", "-12.25E-2", "1e400", "12345678901234567890", '""', '"a"', "[]", "{}", "[[],{}]",
  '["echo","x"]', '{"a":1,"b":[true,null,{"c":"d"}],"a":2}', '"\\u0041\\ud83d\\ude00\\n\\"\\\\\\/"', '["\\ud800","\\udfff\\ud800x"]',
  ' [ 1 , 2 ,\t3 ]\r\n',
  '{"__proto__":{"x":1},"constructor":2,"":3}', '"\u20ac \u{1f600} \u2028"', "[0.1,1E5,1e-7,100000000000000000000000]",
  '{"a\\u0062":1,"ab":2}', '{"2":1,"1":2,"b":0,"a":0}',
  '["a string that is longer than sixteen bytes","and \\t another one, of that kind"]',
];
const parts = [
  "[", "]", "{", "}", ",", ":", '"', "\\", "\\u", "\\ud83d", "\\ude00", "\\n", "\\x", "0", "1", "-", "+", ".", "e", "E9", "01", "null",
  "nul", "true", "NaN", "Infinity", " ", "\t", "\n", "\v", "\f", "\u00a0",
  "\ufeff", "\u2028", "\0", "\x1f", "\x7f", "'", "/", "//", "é", "[]", "{}", '"k":',
  ',"k":1', "[1,2]", "1e999", "1e-999", "1".repeat(33), "[".repeat(30),
];

function valueOf(depth) {
  const kind = random(depth > 4 ? 5 : 7);
  if (kind === 0) return pick([null, true, false]);
  if (kind === 1) return random(1000) - 500;
  if (kind === 2) return (random(2 ** 32) - 2 ** 31) * 10 ** (random(60) - 30);
  if (kind === 3) {
    return String.fromCodePoint(...Array.from({ length: random(12) }, () => random(random(2) ? 128 : 0x11000)));
  }
  if (kind === 4) return pick(["", "plain", "with \"quotes\" and \\", "\ud83d", "€ and 😀"]);
  const size = random(5);
  if (kind === 5) return Array.from({ length: size }, () => valueOf(depth + 1));
  const keys = ["a", "b", "key", "__proto_", "1", "\u00e9", "\udc00"];
  return Object.fromEntries(Array.from({ length: size }, () => [pick(keys), valueOf(depth + 1)]));
}

function mutated(text) {
  for (let times = 1 + random(3); times > 0; --times) {
    const at = random(text.length + 1);
    const cut = random(3);
    const kind = random(5);
    if (kind === 0) text = text.slice(0, at) + text.slice(at + cut);
    else if (kind === 1) text = text.slice(0, at) + pick(parts) + text.slice(at);
    else if (kind === 2) text = text.slice(0, at) + pick(parts) + text.slice(at + cut);
    else if (kind === 3) text = text.slice(0, at);
    else text = text.slice(0, at) + text.slice(random(text.length + 1));
  }
  return text;
}

// What Node makes of the text, or undefined where it refuses.
function parsed(text) {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

const texts = ["", " ", "[".repeat(512) + "]".repeat(512), "[".repeat(513) + "]".repeat(513), "1".repeat(32), "1".repeat(33)];
for (const seed of seeds) {
  for (let cut = 0; cut <= seed.length; ++cut) texts.push(seed.slice(0, cut));
}
while (texts.length < count) {
  const made = JSON.stringify(valueOf(random(3)));
  texts.push(random(4) === 0 ? made : mutated(random(2) ? pick(seeds) : made));
}
// Half a surrogate pair cannot reach us raw: the UTF-8 encoder replaces it, for us and for JSON.parse.
const wire = texts.map((text) => Buffer.from(text));
const run = spawnSync(program, { input: wire.map((bytes) => bytes.toString("base64") + "\n").join(""), maxBuffer: 1 << 30 });
if (run.status !== 0) throw new Error(`json_verdicts ended with ${run.status ?? run.signal}: ${run.stderr}`);
const answers = run.stdout.toString().split("\n");

const allowed = new Map([["JSON nested too deep", 0], ["number in JSON too long", 0]]);
let accepted = 0;
let wrong = 0;
function complain(what, index, answer) {
  if (++wrong <= 20) console.error(`${what}: ${JSON.stringify(wire[index].toString())} -> ${answer}`);
}
for (const [index, bytes] of wire.entries()) {
  const theirs = parsed(bytes.toString());
  const [cause, written] = answers[index].split("\t");
  if (allowed.has(cause)) {
    allowed.set(cause, allowed.get(cause) + 1);
  } else if ((theirs !== undefined) !== (cause === "ok")) {
    complain(theirs === undefined ? "accepted what Node refuses" : "refused what Node accepts", index, cause);
  } else if (theirs !== undefined) {
    ++accepted;
    const back = Buffer.from(written, "base64").toString();
    const ours = parsed(back);
    const same = ours !== undefined && JSON.stringify(ours.value) === JSON.stringify(theirs.value);
    if (!same) complain("written back otherwise", index, back);
  }
}

// What JSON.stringify writes must come back byte for byte: nothing in it may be spelled in another way.
for (const [index, bytes] of wire.entries()) {
  const text = bytes.toString();
  const theirs = parsed(text);
  const integerKeys = /"\d+":/.test(text);  // JavaScript sorts those first, we keep the order
  if (theirs === undefined || integerKeys || JSON.stringify(theirs.value) !== text) continue;
  if (!answers[index].startsWith("ok")) continue;
  const back = Buffer.from(answers[index].split("\t")[1], "base64").toString();
  if (back !== text) complain("not verbatim", index, back);
}

console.log(`${texts.length} texts, ${accepted} accepted by both, ${texts.length - accepted} refused; ` +
  `beyond our bounds: ${[...allowed].map(([cause, times]) => `${times} ${cause}`).join(", ")}; ${wrong} wrong`);
process.exit(wrong === 0 && accepted > texts.length / 10 ? 0 : 1);
