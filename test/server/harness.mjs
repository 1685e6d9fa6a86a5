// test/server/harness.mjs - the program `tidewire` as its users meet it: a configuration, clients of both dialects, a back end.
//
//   useProgram({toml})   one server for the tests of a file or a describe(): started before, stopped after
//   command(args)        any subcommand to its end: {code, stdout, stderr}
//   token(claims)        a JSON Web Token, made by npm's `jose`
//   connect(program)     the official client, once it is connected; refusal(program): why it was not
//   plain(program)       a plain WebSocket client by npm's `ws`
//   BackEnd              an HTTP server that answers as the test says: webhooks, questions, key sets
//
// The program gets a clean environment: nothing of the developer's TIDEWIRE_, SOCKET_IO_ or JWT_ variables reaches it.
// At its end: exit code 0 after SIGTERM, no sanitizer report, and no token that token() made anywhere in its output.
//
//   TIDEWIRE_BIN_DIR     where tidewire lies   (default ../../build/dev/bin, from here)
import { execFile, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { after, afterEach, before } from 'node:test';
import assert from 'node:assert/strict';
import path from 'node:path';
import { SignJWT } from 'jose';
import { io } from 'socket.io-client';
import WebSocket from 'ws';
import { withTimeout } from '../e2e/harness.mjs';
import { Inbox } from '../e2e/wire.mjs';

export { eventually, once, pause, sanitized, withTimeout } from '../e2e/harness.mjs';
export { Inbox } from '../e2e/wire.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const kStartMs = 30_000;
const kStopMs = 20_000;
const kAnswerMs = 10_000;
const kOutputCharactersMax = 4_000_000;

export const kSecret = 'k9Zq-3vTm_7Lw2xRb8NcYf5HjD1sPg0eUaQo6';
export const kHookSecret = 'what the back end and we both know';

// ---- files

const scratch = mkdtempSync(path.join(tmpdir(), 'tidewire-e2e-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));

// A file of this run, and its path.
export function file(name, text) {
  const where = path.join(scratch, name);
  writeFileSync(where, text);
  return where;
}

// ---- tokens

const tokens = new Set();

// `exp`: seconds from now, or null for none. `issuedAt`: the same, and absent by default.
export async function token(claims = {}, { secret = kSecret, key, alg = 'HS256', exp = 600, kid, header = {} } = {}) {
  const jwt = new SignJWT(claims).setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }), ...header });
  if (exp !== null) jwt.setExpirationTime(Math.floor(Date.now() / 1000) + exp);
  const text = await jwt.sign(key ?? new TextEncoder().encode(secret));
  tokens.add(text);
  return text;
}
// Tokens by other ways (made by hand, by `tidewire token`) must not be in the log either.
export function remember(text) {
  tokens.add(text);
  return text;
}
// The part of a token that nobody can guess.
const secretPart = (text) => text.slice(text.lastIndexOf('.') + 1);

// ---- the program

const binary = () => path.join(process.env.TIDEWIRE_BIN_DIR ?? path.join(here, '..', '..', 'build', 'dev', 'bin'), 'tidewire');

// A freed block stays in ASan's quarantine (256 MB by default), which would hide every memory bound: keep it small.
function environment(more) {
  const kept = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(PATH|HOME|LANG|TSAN_|UBSAN_)/.test(name)));
  const given = process.env.ASAN_OPTIONS ? `${process.env.ASAN_OPTIONS}:` : '';
  return { ...kept, ASAN_OPTIONS: `${given}quarantine_size_mb=4:malloc_context_size=5`, ...more };
}

let programs = 0;

export class Program {
  constructor({ toml = '', env = {}, args = [], shards = 1 } = {}) {
    programs += 1;
    this.config = file(`tidewire-${programs}.toml`, toml);
    this.environment = env;
    this.arguments = ['serve', '--port', '0', '--shards', String(shards), '--config', this.config, ...args];
    this.output = '';
    this.log = new Inbox();  // whole lines of standard error
  }

  rewrite(toml) {
    writeFileSync(this.config, toml);
  }

  async start() {
    const child = spawn(binary(), this.arguments, { stdio: ['ignore', 'pipe', 'pipe'], env: environment(this.environment), cwd: scratch });
    this.process = child;
    process.once('exit', () => child.kill('SIGKILL'));  // a suite that breaks off leaves no server behind
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => resolve({ code, signal }));
      child.once('error', (error) => resolve({ code: -1, signal: String(error) }));
    });
    let rest = '';
    child.stderr.on('data', (chunk) => {
      this.#collect(chunk);
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      for (const line of lines) this.log.push(line);
    });
    const listening = new Promise((resolve) => {
      child.stdout.on('data', (chunk) => {
        this.#collect(chunk);
        const match = /tidewire listens on (https?):\/\/([^:]+):(\d+) \((\d+) shards/.exec(this.output);
        if (match) resolve(match);
      });
    });
    const failed = this.exited.then(({ code, signal }) => {
      throw new Error(`tidewire ended before it listened (${code ?? signal}):\n${this.output}`);
    });
    failed.catch(() => {});
    const [, scheme, host, port, shards] = await withTimeout(Promise.race([listening, failed]), kStartMs, 'tidewire to listen');
    Object.assign(this, { host, port: Number(port), shards: Number(shards), url: `${scheme}://${host}:${port}` });
    return this;
  }

  #collect(chunk) {
    this.output = (this.output + chunk).slice(-kOutputCharactersMax);
  }

  // The next line of the log that matches; lines before it are passed over.
  async line(expression, milliseconds = kAnswerMs) {
    const end = Date.now() + milliseconds;
    for (;;) {
      const line = await this.log.next(Math.max(end - Date.now(), 1), `a log line like ${expression}`);
      assert.notEqual(line, undefined, 'the log ended');
      if (expression.test(line)) return line;
    }
  }

  hangUp() {
    this.process.kill('SIGHUP');
  }

  // Resident bytes now.
  rss() {
    const status = readFileSync(`/proc/${this.process.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)[1]) * 1024;
  }

  async stop() {
    this.process.kill('SIGTERM');
    try {
      const { code, signal } = await withTimeout(this.exited, kStopMs, 'tidewire to exit after SIGTERM');
      assert.equal(code, 0, `exit after SIGTERM: ${code ?? signal}\n${this.output.slice(-20_000)}`);
      assert.doesNotMatch(this.output, /Sanitizer|runtime error:/, 'a sanitizer reported something');
      for (const each of tokens) {
        assert.ok(!this.output.includes(secretPart(each)), `a token is in the log: ...${secretPart(each)}`);
      }
    } finally {
      this.process.kill('SIGKILL');
    }
  }
}

// A program that runs while the tests of the calling file or describe() run. `options` may be a function, called when it starts.
export function useProgram(options = {}) {
  const program = {};
  before(async () => {
    const made = new Program(typeof options === 'function' ? options() : options);
    Object.setPrototypeOf(program, made);
    await made.start();
  });
  afterEach(closeClients);
  after(() => Object.getPrototypeOf(program).stop());
  return program;
}

// `tidewire ARGS` to its end.
export function command(args, { env = {}, input = '' } = {}) {
  return new Promise((resolve, reject) => {
    const options = { env: environment(env), cwd: scratch, timeout: kStartMs };
    const child = execFile(binary(), args, options, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') return reject(error);
      assert.doesNotMatch(stderr, /Sanitizer|runtime error:/, 'a sanitizer reported something');
      resolve({ code: error ? error.code : 0, stdout, stderr });
    });
    child.stdin.end(input);
  });
}

// ---- clients

const open = new Set();

export function closeClients() {
  for (const close of open) close();
  open.clear();
}

function client(program, { namespace = '', token: shown, ...options }) {
  const auth = shown === undefined ? {} : { auth: { token: shown } };
  const socket = io(program.url + namespace, { forceNew: true, reconnection: false, transports: ['websocket'], ...auth, ...options });
  open.add(() => socket.disconnect());
  socket.inbox = new Inbox();
  socket.onAny((...message) => socket.inbox.push(message));
  // [event, first argument]; what differs from plain() is the name of the method only
  socket.next = (milliseconds) => socket.inbox.next(milliseconds);
  socket.ask = (...message) => withTimeout(socket.emitWithAck(...message), kAnswerMs, `the ack of ${message[0]}`);
  // {reason, code}: the code of the WebSocket's close, where there was one
  socket.ended = new Promise((resolve) => socket.once('disconnect', (reason, details) => resolve({ reason, code: details?.context?.code })));
  return socket;
}

export function connect(program, options = {}) {
  const socket = client(program, options);
  const connected = new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket)).once('connect_error', (error) => {
      reject(new Error(`not connected: ${error.message} ${JSON.stringify(error.data)}`));
    });
  });
  return withTimeout(connected, kAnswerMs, 'the client to connect');
}

// {message, data} of the connect_error.
export async function refusal(program, options = {}) {
  const socket = client(program, options);
  const refused = new Promise((resolve, reject) => {
    socket.once('connect_error', resolve).once('connect', () => reject(new Error('the client was let in')));
  });
  const { message, data } = await withTimeout(refused, kAnswerMs, 'the client to be refused');
  socket.disconnect();
  return { message, data };
}

// Flat envelopes at "/". ask(type, fields) gives the data of the acknowledgement; everything else is in `inbox`.
class Plain {
  #asked = new Map();
  #lastId = 0;

  constructor(address, options) {
    this.inbox = new Inbox();
    this.socket = new WebSocket(address, options);
    this.ended = new Promise((resolve) => this.socket.once('close', (code, reason) => resolve({ code, reason: String(reason) })));
    this.ended.then(() => this.inbox.end());
    this.socket.on('error', () => {});
    this.socket.on('message', (bytes) => this.#take(JSON.parse(bytes)));
  }
  #take(message) {
    const asked = message.type === 'ack' ? this.#asked.get(message.id) : undefined;
    if (asked === undefined) return this.inbox.push(message);
    this.#asked.delete(message.id);
    asked(message.data ?? message.args);
  }
  send(type, fields = {}) {
    this.socket.send(JSON.stringify({ type, ...fields }));
  }
  next(milliseconds) {
    return this.inbox.next(milliseconds);
  }
  ask(type, fields = {}) {
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = new Promise((resolve) => this.#asked.set(id, resolve));
    this.send(type, { id, ...fields });
    return withTimeout(answer, kAnswerMs, `the ack of ${type}`);
  }
  close() {
    this.socket.terminate();
  }
}

// A client whose handshake succeeded; whether it was let in then is seen by what it hears, and by `ended`.
export async function plain(program, { path: where = '/', token: shown, headers = {}, ...options } = {}) {
  const authorization = shown === undefined ? {} : { Authorization: `Bearer ${shown}` };
  const peer = new Plain(program.url.replace(/^http/, 'ws') + where, { headers: { ...authorization, ...headers }, ...options });
  open.add(() => peer.close());
  const opened = new Promise((resolve, reject) => peer.socket.once('open', resolve).once('error', reject));
  await withTimeout(opened, kAnswerMs, 'the WebSocket to open');
  return peer;
}

// {error, code, reason}: the envelope that a refused plain client gets, and the close after it.
export async function plainRefusal(program, options) {
  const peer = await plain(program, options);
  const error = await peer.next(kAnswerMs);
  const { code, reason } = await withTimeout(peer.ended, kAnswerMs, 'the close of a refused client');
  return { error, code, reason };
}

// Nothing but `mark` reaches them after what `sender` did before. The program needs the contract kMark.
export const kMark = `
[[events]]
name = "mark"
to = "*"
`;
let marks = 0;
export async function nothingReaches(sender, ...receivers) {
  marks += 1;
  const mark = { mark: marks };
  sender.emit('mark', mark);
  for (const receiver of receivers) {
    const message = await receiver.next(kAnswerMs);
    const [name, payload] = Array.isArray(message) ? message : [message.type, message];
    assert.deepEqual([name, payload.mark], ['mark', marks], `heard ${JSON.stringify(message)}`);
  }
}

// ---- a back end

export class BackEnd {
  // answer(request) gives {status, body, headers}, `undefined` for no answer at all, or a promise of them.
  constructor(answer = () => ({})) {
    this.answer = answer;
    this.requests = new Inbox();  // {method, path, headers, text}
    this.count = 0;
    this.port = 0;
  }
  async start() {
    this.server = createServer((request, response) => {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('error', () => {});
      request.on('end', () => this.#serve(request, response, Buffer.concat(chunks)));
    });
    await new Promise((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
    this.port = this.server.address().port;
    return this;
  }
  async #serve({ method, url, headers }, response, body) {
    const seen = { method, path: url, headers, text: body.toString(), json: body.length > 0 ? JSON.parse(body) : undefined };
    this.count += 1;
    const answer = await this.answer(seen);
    this.requests.push(seen);
    if (answer === undefined) return;
    response.writeHead(answer.status ?? 200, { 'Content-Type': 'application/json', ...answer.headers });
    response.end(JSON.stringify(answer.body ?? {}));
  }
  url(where = '/') {
    return `http://127.0.0.1:${this.port}${where}`;
  }
  // Connections under way are cut, and the port is closed; start() opens it again.
  async stop() {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }
}

export function useBackEnd(answer) {
  const backEnd = new BackEnd(answer);
  before(() => backEnd.start());
  after(() => backEnd.server.listening && backEnd.stop());
  return backEnd;
}
