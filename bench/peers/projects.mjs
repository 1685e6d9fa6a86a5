// projects.mjs - the Node.js peer of scenario `projects`: what the contracts of tidewire do, by hand on socket.io from npm.
//
//   node projects.mjs --port N --secret-file FILE [--host 127.0.0.1]
//
// A token (HS256) in the handshake; rooms of everybody, of everybody with a token and of one user; rooms of projects for whom
// the token names; events bounded in rate, checked against a JSON Schema, stamped and sent to the other members.
// Prints `listening on HOST:PORT`; runs until SIGTERM and exits 0 then.
import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import Ajv from "ajv";
import { Server } from "socket.io";

const LEEWAY_S = 5;
const { values: options } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    host: { type: "string", default: "127.0.0.1" },
    "secret-file": { type: "string" },
  },
});
const secret = readFileSync(options["secret-file"], "utf8").trim();

// The claims of a good token; throws for every other.
function verify(token) {
  const [header, payload, signature, ...more] = String(token).split(".");
  if (signature === undefined || more.length > 0) throw new Error("no token");
  if (JSON.parse(Buffer.from(header, "base64url")).alg !== "HS256") throw new Error("another algorithm");
  const wanted = createHmac("sha256", secret).update(`${header}.${payload}`).digest();
  const given = Buffer.from(signature, "base64url");
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw new Error("a wrong signature");
  const claims = JSON.parse(Buffer.from(payload, "base64url"));
  if (typeof claims.sub !== "string" || !(claims.exp + LEEWAY_S > Date.now() / 1000)) throw new Error("expired");
  return claims;
}

const ajv = new Ajv();
const validProject = ajv.compile({
  type: "object", required: ["projectId"], properties: { projectId: { type: ["string", "integer"] } },
});
const validEdit = ajv.compile({
  type: "object", required: ["testCaseId", "field"],
  properties: { testCaseId: { type: "string" }, field: { type: "string" } },
});

// A token bucket of 20 a second and 40 at once for each user.
const buckets = new Map();
function mayEdit(user) {
  const now = performance.now();
  const bucket = buckets.get(user) ?? { tokens: 40, at: now };
  bucket.tokens = Math.min(40, bucket.tokens + ((now - bucket.at) * 20) / 1000);
  bucket.at = now;
  buckets.set(user, bucket);
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

const refusal = (code, message) => ({ ok: false, error: { code, message } });
const server = createServer();
const io = new Server(server);

io.use((socket, next) => {
  try {
    socket.data.user = verify(socket.handshake.auth.token);
    next();
  } catch {
    next(new Error("unauthorized"));
  }
});

io.on("connection", (socket) => {
  const { user } = socket.data;
  socket.join(["global", "authenticated", `user:${user.sub}`]);
  const refuse = (event, acknowledge, problem) => {
    if (typeof acknowledge === "function") acknowledge(problem);
    else socket.emit("error", { event, ...problem });
  };
  socket.on("join-project", (payload, acknowledge) => {
    if (!validProject(payload)) return refuse("join-project", acknowledge, refusal("invalid_payload", ajv.errorsText(validProject.errors)));
    if (!user.projects?.includes(payload.projectId)) return refuse("join-project", acknowledge, refusal("forbidden", "not your project"));
    socket.join(`project:${payload.projectId}`);
    if (typeof acknowledge === "function") acknowledge({ ok: true, projectId: payload.projectId });
  });
  socket.on("test-case-editing", (payload, acknowledge) => {
    if (!mayEdit(user.sub)) return refuse("test-case-editing", acknowledge, refusal("rate_limited", "too many of these events"));
    if (!validEdit(payload)) return refuse("test-case-editing", acknowledge, refusal("invalid_payload", ajv.errorsText(validEdit.errors)));
    const stamps = { userId: user.sub, userName: user.name, userEmail: user.email, timestamp: new Date().toISOString() };
    const rooms = [...socket.rooms].filter((room) => room.startsWith("project:"));
    if (rooms.length > 0) socket.to(rooms).emit("test-case-update", { ...payload, ...stamps });
    if (typeof acknowledge === "function") acknowledge({ ok: true });
  });
});

process.on("SIGTERM", () => process.exit(0));
server.listen({ port: Number(options.port), host: options.host, backlog: 4096 }, () => {
  console.log(`listening on ${options.host}:${server.address().port}`);
});
