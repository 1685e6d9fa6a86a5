// node.mjs - the Node.js peer: socket.io from npm as it comes, with the events of `tidewire-fixture bench`.
//
//   node node.mjs --port N [--host 127.0.0.1] [--deflate] [--tls-cert FILE --tls-key FILE]
//
// Prints `listening on HOST:PORT`; runs until SIGTERM and exits 0 then.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { parseArgs } from "node:util";
import { Server } from "socket.io";

const { values: options } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    host: { type: "string", default: "127.0.0.1" },
    deflate: { type: "boolean", default: false },
    "tls-cert": { type: "string" },
    "tls-key": { type: "string" },
  },
});

const server = options["tls-cert"]
  ? createTlsServer({ cert: readFileSync(options["tls-cert"]), key: readFileSync(options["tls-key"]) })
  : createServer();

// The one deviation from the defaults, and only for the row that measures compression.
const compression = { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true };
const io = new Server(server, options.deflate ? { perMessageDeflate: compression } : {});

io.on("connection", (socket) => {
  socket.on("echo", (value, acknowledge) => acknowledge(value));
  socket.on("broadcast", (value, acknowledge) => {
    io.emit("message", value);
    acknowledge();
  });
  socket.on("join", (room, acknowledge) => {
    socket.join(room);
    acknowledge();
  });
});

process.on("SIGTERM", () => process.exit(0));
server.listen({ port: Number(options.port), host: options.host, backlog: 4096 }, () => {
  console.log(`listening on ${options.host}:${server.address().port}`);
});
