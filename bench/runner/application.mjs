// application.mjs - what the rows about the program need: configurations with more and more guards around one event, and users
// with tokens.
import { createHmac, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const USERS = 10_000; // a row needs at most so many
const PROJECT_MEMBERS = 20;

function makeToken(secret, claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

// One line of JSON for each client: user-0 of project p-0, user-1 ...
function connectPayloads(secret) {
  const iat = Math.floor(Date.now() / 1000);
  const lines = [];
  for (let i = 0; i < USERS; ++i) {
    const sub = `user-${i}`;
    const projects = [`p-${Math.floor(i / PROJECT_MEMBERS)}`];
    const claims = { sub, name: `User ${i}`, email: `${sub}@example.org`, projects, iat, exp: iat + 86_400 };
    lines.push(JSON.stringify({ token: makeToken(secret, claims) }));
  }
  return `${lines.join("\n")}\n`;
}

const fields = [
  'id = { type = "string", minLength = 1, maxLength = 100 }',
  'project = { type = "string" }',
  'kind = { enum = ["order", "offer"] }',
  'amount = { type = "number", minimum = 0 }',
  'count = { type = "integer", minimum = 0, maximum = 1000 }',
  'paid = { type = "boolean" }',
  'lines = { type = "array", maxItems = 10, items = { type = "string" } }',
  'note = { type = "string", maxLength = 500 }',
].join(", ");

// In the order in which an event meets them; each configuration has those of the one before.
const guards = [
  ["rights", 'from = "authenticated"'],
  ["rates", ""],  // three buckets: of the connection, the user and the address
  ["schema", `schema = { type = "object", required = ["id", "project", "kind"], additionalProperties = false, properties = { ${fields} } }`],
  ["membership", 'member_of = "user:{sender.id}"'],
];

// {auth, secretFile, bare, guarded, rights, rates, schema, membership, asItComes}: names of files in `directory`.
export function makeApplication(directory) {
  const secret = randomBytes(32).toString("hex");
  const write = (name, text) => {
    const file = join(directory, name);
    writeFileSync(file, text);
    return file;
  };
  const rates = (rate) => `[rates]\nconnection = "${rate}"\nuser = "${rate}"\naddress = "${rate}"\n`;
  const common = `[auth]\nsecret = "${secret}"\n[log]\nconnections = false\nlevel = "error"\n`;
  let settings = common + rates("");
  let events = '[[events]]\nname = "echo"\nreply = "arguments"\n';
  const made = {
    auth: write("connect-payloads", connectPayloads(secret)),
    secretFile: write("secret", secret),
    bare: write("bare.toml", settings + events),
    asItComes: write("as-it-comes.toml", common),
  };
  for (const [name, line] of guards) {
    if (name === "rates") settings = common + rates("1000000/s");
    events += `${line}\n`;
    made[name] = write(`${name}.toml`, settings + events);
  }
  return made;
}
