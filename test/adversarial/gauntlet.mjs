// test/adversarial/gauntlet.mjs - what every row of the catalogue asserts beside its own reaction: the process lives, a
// healthy neighbour still gets an echo, and the memory bound holds where the row states one.
//
//   const { server, row } = useTarget('client');
//   row('adv_A01 an event named error is an ordinary event', async () => {...}, { rss: 4 * kMegabyte });
//
// A server that died is started anew for the next row, so that one finding does not hide the others.
import { after, before, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import assert from 'node:assert/strict';
import { Fixture, reference, rssBound, withTimeout } from '../e2e/harness.mjs';
import { RawTcp } from '../e2e/wire.mjs';

export const kMegabyte = 1024 * 1024;
const kEchoMs = 2_000;  // "quickly", on a machine that is shared and under sanitizers

class Neighbour {
  constructor(role, port) {
    this.gone = undefined;
    this.waiting = [];
    this.worker = new Worker(new URL('./healthy_client.mjs', import.meta.url), { workerData: { role, port } });
    this.worker.on('message', (message) => {
      if (message.gone) this.gone ??= message.gone;
      this.waiting.splice(0).forEach((resolve) => resolve());
    });
    this.worker.on('error', (error) => (this.gone ??= error.message));
  }
  async #next(what) {
    if (!this.gone) await withTimeout(new Promise((resolve) => this.waiting.push(resolve)), kEchoMs, what);
    assert.equal(this.gone, undefined, `the healthy neighbour was disturbed: ${this.gone}`);
  }
  ready() {
    return this.#next('the neighbour to connect');
  }
  echo() {
    const echoed = this.#next("the neighbour's echo");
    this.worker.postMessage('echo');
    return echoed;
  }
  stop() {
    this.worker.removeAllListeners();
    return this.worker.terminate();
  }
}

export function useTarget(role, options) {
  const server = new Fixture(role, options);
  let neighbour;
  const start = async () => {
    await server.start();
    neighbour = new Neighbour(role, server.port);
    await neighbour.ready();
  };
  const restartIfDisturbed = async () => {
    const dead = server.process.exitCode !== null || server.process.signalCode !== null;
    if (!dead && !neighbour.gone) return;
    await neighbour.stop();
    if (!dead) await server.stop().catch(() => {});
    server.output = '';
    await start();
  };
  before(start);
  after(async () => {
    await neighbour?.stop();
    await server.stop();
  });

  // Runs `body` and then makes the assertions that all rows share. `rss`: bytes the server may have grown by, at its peak.
  const row = (name, body, { rss, ...testOptions } = {}) => {
    it(name, { timeout: 30_000, ...testOptions }, async () => {
      await restartIfDisturbed();
      await neighbour.echo();
      server.forgetPeakRss();
      const before = server.rss();
      try {
        await body();
      } finally {
        server.assertAlive();
      }
      await neighbour.echo();
      if (rss === undefined) return;
      const grown = server.peakRss() - before;
      assert.ok(grown <= rssBound(rss), `resident memory grew by ${grown} bytes, allowed are ${rssBound(rss)}`);
    });
  };
  return { server, row };
}

// The peer's CLOSE carries one of `codes`; then it ends the stream. (The reference closes without a code.)
export async function expectClose(socket, codes, milliseconds) {
  const { code } = await socket.waitForClose(milliseconds);
  assert.ok([codes].flat().includes(code) || (reference && code === 1005), `closed with ${code}, expected ${codes}`);
  await socket.stream.waitForEnd();
}

// Sends raw bytes and expects one of `statuses`, and with `closes` the end of the stream after it. Gives the answer.
export async function expectStatus(server, bytes, statuses, { closes = false, milliseconds } = {}) {
  const stream = await RawTcp.connect(server.port);
  try {
    stream.write(bytes);
    const answer = await stream.response(milliseconds);
    assert.ok(answer, 'the stream ended without an answer');
    assert.ok([statuses].flat().includes(answer.status), `answered ${answer.status} (${answer.body}), expected ${statuses}`);
    if (closes) await stream.waitForEnd();
    return answer;
  } finally {
    stream.destroy();
  }
}

// Pseudo-random numbers from a seed: a failing row can be run again.
export function seeded(seed) {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
