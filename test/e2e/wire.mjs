// test/e2e/wire.mjs - the wire by hand: a TCP stream that sends any bytes cut anywhere, and a WebSocket that obeys no rule.
//
// Official clients never send what a bad client sends, so the raw ones here build every byte themselves:
//   RawTcp         bytes out; HTTP answers and the end of the stream in
//   frame()        one WebSocket frame, each bit of its header at will
//   RawWebSocket   a handshake, then frames both ways; close() answers are automatic unless told otherwise
import net from 'node:net';
import { randomBytes } from 'node:crypto';
import { constants, inflateRawSync } from 'node:zlib';
import { withTimeout } from './harness.mjs';

// A queue with an end. next() waits for the next item; after the end it gives undefined.
export class Inbox {
  #items = [];
  #waiting = [];
  #ended = false;

  push(item) {
    const taker = this.#waiting.shift();
    if (taker) taker(item);
    else this.#items.push(item);
  }
  end() {
    this.#ended = true;
    for (const taker of this.#waiting.splice(0)) taker(undefined);
  }
  next(milliseconds = 5_000, what = 'the next message') {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift());
    if (this.#ended) return Promise.resolve(undefined);
    const item = new Promise((resolve) => this.#waiting.push(resolve));
    return withTimeout(item, milliseconds, what);
  }
  async take(count, milliseconds) {
    const items = [];
    while (items.length < count) items.push(await this.next(milliseconds, `message ${items.length + 1} of ${count}`));
    return items;
  }
  drain() {
    return this.#items.splice(0);
  }
}

export class RawTcp {
  static async connect(port, { host = '127.0.0.1', localAddress } = {}) {
    const socket = net.connect({ port, host, localAddress, noDelay: true });
    const stream = new RawTcp(socket);
    await withTimeout(new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject)), 5_000, 'connect');
    return stream;
  }

  constructor(socket) {
    this.socket = socket;
    this.bytes = Buffer.alloc(0);
    this.over = false;
    this.onBytes = () => {};
    // Resolves when the peer has ended the stream, by FIN or by RST.
    this.ended = new Promise((resolve) => {
      const finish = () => {
        this.over = true;
        resolve();
        this.onBytes();
      };
      socket.once('end', finish).once('close', finish);
    });
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.bytes = this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk]);
      this.onBytes();
    });
  }

  write(bytes) {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }
  // The same bytes in two segments (TCP may still join them; with the turn in between it hardly ever does).
  async writeSplit(bytes, at) {
    const whole = Buffer.from(bytes);
    await this.write(whole.subarray(0, at));
    await new Promise((resolve) => setTimeout(resolve, 1));
    await this.write(whole.subarray(at));
  }
  // Resolves to what `look(bytes, over)` gives as soon as that is not undefined.
  when(look, milliseconds, what) {
    const seen = new Promise((resolve) => {
      this.onBytes = () => {
        const found = look(this.bytes, this.over);
        if (found !== undefined) resolve(found);
      };
      this.onBytes();
    });
    return withTimeout(seen, milliseconds, what);
  }

  // The next HTTP answer; undefined if the stream ended without one.
  async response(milliseconds = 5_000) {
    const answer = await this.when((bytes, over) => parseResponse(bytes, over), milliseconds, 'an HTTP answer');
    if (answer === null) return undefined;
    this.bytes = this.bytes.subarray(answer.length);
    return answer;
  }
  waitForEnd(milliseconds = 5_000) {
    return withTimeout(this.ended, milliseconds, 'the end of the stream');
  }
  destroy() {
    this.socket.destroy();
  }
  reset() {
    this.socket.resetAndDestroy();
  }
}

// One HTTP answer at the start of `bytes`: undefined = more needed, null = none will come.
function parseResponse(bytes, over) {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return over ? null : undefined;
  const [statusLine, ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const headers = {};
  const rawHeaders = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    rawHeaders.push([name, value]);
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const status = Number(statusLine.split(' ')[1]);
  const bodyAt = headEnd + 4;
  let bodyLength = Number(headers['content-length'] ?? 0);
  const bodyless = status === 204 || status === 304 || status < 200;
  if (bodyless) bodyLength = 0;
  else if (headers['content-length'] === undefined) {
    if (!over) return undefined;
    bodyLength = bytes.length - bodyAt;
  }
  if (bytes.length < bodyAt + bodyLength) return over ? null : undefined;
  const body = Buffer.from(bytes.subarray(bodyAt, bodyAt + bodyLength));
  return { status, statusLine, headers, rawHeaders, body: body.toString(), bytes: body, length: bodyAt + bodyLength };
}

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

// A WebSocket frame. `lengthForm` 7, 16 or 64 picks the form of the length, `announce` (BigInt) replaces its value.
export function frame(opcode, payload = '', { fin = true, rsv = 0, mask = true, lengthForm, announce } = {}) {
  const body = Buffer.from(payload);
  const length = announce ?? BigInt(body.length);
  const form = lengthForm ?? (length < 126n ? 7 : length < 65536n ? 16 : 64);
  const head = [Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | opcode])];
  const maskBit = mask ? 0x80 : 0;
  if (form === 7) head.push(Buffer.from([maskBit | Number(length)]));
  else {
    const wide = Buffer.alloc(form === 16 ? 2 : 8);
    if (form === 16) wide.writeUInt16BE(Number(length));
    else wide.writeBigUInt64BE(length);
    head.push(Buffer.from([maskBit | (form === 16 ? 126 : 127)]), wide);
  }
  if (!mask) return Buffer.concat([...head, body]);
  const key = randomBytes(4);
  const masked = Buffer.alloc(body.length);
  for (let i = 0; i < body.length; i += 1) masked[i] = body[i] ^ key[i & 3];
  return Buffer.concat([...head, key, masked]);
}

export const text = (payload, options) => frame(Opcode.text, payload, options);
export const binary = (payload, options) => frame(Opcode.binary, payload, options);
export const ping = (payload, options) => frame(Opcode.ping, payload, options);

export function closeFrame(code, reason = '') {
  if (code === undefined) return frame(Opcode.close);
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return frame(Opcode.close, payload);
}

export function upgradeRequest(path, headers = {}, method = 'GET') {
  const all = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...headers,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== undefined).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

export class RawWebSocket {
  // `behind`: bytes sent in the same segment as the request. `heartbeat`: Engine.IO pings are answered and hidden.
  static async open(port, path = '/', options = {}) {
    const { headers, behind, heartbeat = path.includes('EIO=4'), answerClose = true, localAddress } = options;
    const stream = await RawTcp.connect(port, { localAddress });
    const request = Buffer.from(upgradeRequest(path, headers));
    await stream.write(behind ? Buffer.concat([request, behind]) : request);
    const response = await stream.response();
    return new RawWebSocket(stream, response, { heartbeat, answerClose });
  }

  constructor(stream, response, { heartbeat, answerClose }) {
    this.stream = stream;
    this.response = response;
    this.heartbeat = heartbeat;
    this.answerClose = answerClose;
    this.messages = new Inbox();  // text as string, binary as Buffer
    this.frames = new Inbox();    // every frame as it came, for who wants to see the bits
    this.pongs = new Inbox();
    // {code, reason} of the peer's CLOSE (1005: empty); code 1006 if the stream ended without one.
    this.closed = new Promise((resolve) => (this.resolveClosed = resolve));
    this.closed.then(() => {
      this.messages.end();
      this.frames.end();
      this.pongs.end();
    });
    if (response?.status !== 101) {
      this.resolveClosed({ code: 1006, reason: '' });
      return;
    }
    this.fragments = [];
    stream.onBytes = () => this.#parse();
    this.#parse();
  }

  #parse() {
    for (;;) {
      const { bytes } = this.stream;
      const parsed = parseFrame(bytes);
      if (!parsed) break;
      this.stream.bytes = bytes.subarray(parsed.length);
      this.#take(parsed);
    }
    if (this.stream.over) this.resolveClosed({ code: 1006, reason: '' });
  }

  #take(parsed) {
    this.frames.push(parsed);
    if (parsed.opcode === Opcode.close) {
      const code = parsed.payload.length >= 2 ? parsed.payload.readUInt16BE(0) : 1005;
      if (this.answerClose) this.write(closeFrame(code === 1005 ? undefined : code)).then(() => this.stream.socket.end());
      this.resolveClosed({ code, reason: parsed.payload.toString('utf8', 2) });
    } else if (parsed.opcode === Opcode.pong) {
      this.pongs.push(parsed.payload);
    } else if (parsed.opcode <= Opcode.binary) {
      this.fragments.push(parsed);
      if (parsed.fin) this.#message();
    }
  }

  #message() {
    const parts = this.fragments.splice(0);
    const joined = Buffer.concat(parts.map((part) => part.payload));
    const payload = parts[0].rsv === 4 ? inflated(joined) : joined;
    if (parts[0].opcode === Opcode.binary) this.messages.push(payload);
    else if (this.heartbeat && payload.length === 1 && payload[0] === 0x32) this.write(text('3'));
    else this.messages.push(payload.toString());
  }

  write(bytes) {
    return this.stream.write(bytes);
  }
  send(message, options) {
    return this.write(typeof message === 'string' ? text(message, options) : binary(message, options));
  }
  next(milliseconds, what) {
    return this.messages.next(milliseconds, what);
  }
  close(code = 1000) {
    return this.write(closeFrame(code));
  }
  waitForClose(milliseconds = 5_000) {
    return withTimeout(this.closed, milliseconds, 'a CLOSE frame or the end of the stream');
  }
  destroy() {
    this.stream.destroy();
  }
  reset() {
    this.stream.reset();
  }
}

// A message deflated without context takeover (RFC 7692 7.2.2).
function inflated(payload) {
  return inflateRawSync(Buffer.concat([payload, Buffer.from([0, 0, 0xff, 0xff])]), { finishFlush: constants.Z_SYNC_FLUSH });
}

// A server's frame (never masked) at the start of `bytes`; undefined if it is not complete.
function parseFrame(bytes) {
  if (bytes.length < 2) return undefined;
  let length = bytes[1] & 0x7f;
  let at = 2;
  if (length === 126) {
    if (bytes.length < 4) return undefined;
    length = bytes.readUInt16BE(2);
    at = 4;
  } else if (length === 127) {
    if (bytes.length < 10) return undefined;
    length = Number(bytes.readBigUInt64BE(2));
    at = 10;
  }
  if (bytes.length < at + length) return undefined;
  return {
    fin: (bytes[0] & 0x80) !== 0,
    rsv: (bytes[0] >> 4) & 7,
    opcode: bytes[0] & 15,
    masked: (bytes[1] & 0x80) !== 0,
    payload: Buffer.from(bytes.subarray(at, at + length)),
    length: at + length,
  };
}
