// test/e2e/polling.mjs - HTTP requests one by one, and an Engine.IO session over long-polling made of them.
//
// Every request takes a fresh TCP connection unless an agent is given: with several shards it then lands where the kernel
// likes, which is the hard case.
import http from 'node:http';
import { pause, withTimeout } from './harness.mjs';

export const kSeparator = '\x1e';

// {status, headers, body}; body as text, bytes beside it.
export function request(server, path, { method = 'GET', headers = {}, body, agent = false, milliseconds = 5_000, localAddress } = {}) {
  const answered = new Promise((resolve, reject) => {
    const outgoing = http.request(
      { host: server.host, port: server.port, path, method, headers, agent, localAddress },
      (incoming) => {
        const chunks = [];
        incoming.on('data', (chunk) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const bytes = Buffer.concat(chunks);
          resolve({ status: incoming.statusCode, headers: incoming.headers, rawHeaders: incoming.rawHeaders, body: bytes.toString(), bytes });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
  return withTimeout(answered, milliseconds, `${method} ${path}`);
}

export class PollingSession {
  // `path`: with both slashes.
  static async open(server, { path = '/engine.io/', query = '', agent = false, headers = {} } = {}) {
    const answer = await request(server, `${path}?EIO=4&transport=polling${query}`, { agent, headers });
    if (answer.status !== 200) throw new Error(`handshake: ${answer.status} ${answer.body}`);
    const [open, ...rest] = answer.body.split(kSeparator);
    return new PollingSession(server, path, JSON.parse(open.slice(1)), agent, { answer, rest });
  }

  constructor(server, path, handshake, agent, { answer, rest }) {
    Object.assign(this, { server, path, handshake, agent, answer, sid: handshake.sid });
    this.pending = rest;
  }

  get target() {
    return `${this.path}?EIO=4&transport=polling&sid=${this.sid}`;
  }
  get(options = {}) {
    return request(this.server, this.target, { agent: this.agent, ...options });
  }
  // A poll that has had the time to reach the server: nothing tells when it is parked, so this waits a moment.
  async park(options) {
    const answer = this.get(options);
    answer.catch(() => {});
    await pause(50);
    return { answer };
  }
  post(body, options = {}) {
    const headers = { 'Content-Type': 'text/plain;charset=UTF-8', ...options.headers };
    return request(this.server, this.target, { method: 'POST', body, agent: this.agent, ...options, headers });
  }

  // The next packet that is no ping (pings are answered) and no noop; polls as often as needed.
  async next(milliseconds = 5_000) {
    const end = Date.now() + milliseconds;
    for (;;) {
      while (this.pending.length > 0) {
        const packet = this.pending.shift();
        if (packet === '2') await this.post('3');
        else if (packet !== '6') return packet;
      }
      const answer = await this.get({ milliseconds: Math.max(1, end - Date.now()) });
      if (answer.status !== 200) throw new Error(`poll: ${answer.status} ${answer.body}`);
      this.pending.push(...answer.body.split(kSeparator));
    }
  }
  async take(count, milliseconds) {
    const packets = [];
    while (packets.length < count) packets.push(await this.next(milliseconds));
    return packets;
  }
}
