// test/e2e/harness.mjs - one fixture server per suite: start it, look at it, stop it.
//
// The program under test is `tidewire-fixture ROLE`; with TIDEWIRE_E2E_REFERENCE=1 it is reference/fixture.mjs, the same roles
// on the npm servers, which proves that a suite asks for nothing the protocol does not promise.
//
//   TIDEWIRE_BIN_DIR     where tidewire-fixture lies            (default ../build/dev/bin, from test/)
//   TIDEWIRE_FLUSH       auto, send or uring: given on as --flush
//   TIDEWIRE_SANITIZED   address or thread: the program has ASan or TSan in it, so that memory bounds are relaxed (see rssBound)
//   TIDEWIRE_LONG        1: full counts instead of those that fit a developer's patience
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { after, before } from 'node:test';
import assert from 'node:assert/strict';
import path from 'node:path';

const here = path.dirname(fileURLToPath(import.meta.url));

export const reference = process.env.TIDEWIRE_E2E_REFERENCE === '1';
const sanitizer = process.env.TIDEWIRE_SANITIZED ?? 'none';
export const sanitized = sanitizer !== 'none';
export const long = process.env.TIDEWIRE_LONG === '1';

// Options for a test where tidewire differs from the Node server on purpose.
export const tidewireOnly = reference ? { skip: 'tidewire differs from the reference on purpose' } : {};

const kStartMs = 20_000;
const kStopMs = 15_000;

function command(role, args) {
  if (reference) return [process.execPath, [path.join(here, 'reference', 'fixture.mjs'), role, ...args]];
  const directory = process.env.TIDEWIRE_BIN_DIR ?? path.join(here, '..', '..', 'build', 'dev', 'bin');
  return [path.join(directory, 'tidewire-fixture'), [role, ...args]];
}

// A freed block stays in ASan's quarantine (256 MB by default), which would hide every memory bound: keep it small.
function environment() {
  const given = process.env.ASAN_OPTIONS ? `${process.env.ASAN_OPTIONS}:` : '';
  return { ...process.env, ASAN_OPTIONS: `${given}quarantine_size_mb=4:malloc_context_size=5` };
}

export class Fixture {
  constructor(role, { shards = 1, flush = process.env.TIDEWIRE_FLUSH ?? 'auto', args = [] } = {}) {
    this.role = role;
    this.arguments = ['--port', '0', '--shards', String(shards), '--flush', flush, ...args];
    this.output = '';
    this.stopping = false;
    this.deaths = undefined;
  }

  async start() {
    const [program, args] = command(this.role, this.arguments);
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment() });
    this.process = child;
    process.once('exit', () => child.kill('SIGKILL'));  // a suite that breaks off leaves no server behind
    this.exited = new Promise((resolve) => {
      this.process.once('exit', (code, signal) => resolve({ code, signal }));
      this.process.once('error', (error) => resolve({ code: -1, signal: String(error) }));
    });
    this.process.stderr.on('data', (chunk) => this.#collect(chunk));
    const listening = new Promise((resolve) => {
      this.process.stdout.on('data', (chunk) => {
        this.#collect(chunk);
        const match = /listening on ([\d.]+):(\d+)/.exec(this.output);
        if (match) resolve({ host: match[1], port: Number(match[2]) });
      });
    });
    const failed = this.exited.then(({ code, signal }) => {
      throw new Error(`tidewire-fixture ${this.role} ended before it listened (${code ?? signal}):\n${this.output}`);
    });
    failed.catch(() => {});
    const { host, port } = await withTimeout(Promise.race([listening, failed]), kStartMs, `${this.role} to listen`);
    Object.assign(this, { host, port, url: `http://${host}:${port}`, webSocketUrl: `ws://${host}:${port}` });
    return this;
  }

  // The last 200,000 characters suffice for a sanitizer's report.
  #collect(chunk) {
    this.output = (this.output + chunk).slice(-200_000);
  }

  get pid() {
    return this.process.pid;
  }

  assertAlive() {
    const { exitCode, signalCode } = this.process;
    assert.ok(exitCode === null && signalCode === null, `the server died (${exitCode ?? signalCode}):\n${this.output}`);
  }

  // A server that dies is started again on its port, so that one finding does not hide the others; stop() tells of it.
  async startAgainWhenDead() {
    await this.exited;
    if (this.stopping) return;
    this.deaths = (this.deaths ?? '') + this.output;
    this.output = '';
    this.arguments[1] = String(this.port);
    await this.start();
    this.startAgainWhenDead();
  }

  // SIGTERM, and exit code 0: a leak or a data race that a sanitizer saw fails here too.
  async stop() {
    this.stopping = true;
    this.process.kill('SIGTERM');
    try {
      const { code, signal } = await withTimeout(this.exited, kStopMs, `${this.role} to exit after SIGTERM`);
      assert.equal(code, 0, `exit after SIGTERM: ${code ?? signal}\n${this.output}`);
      assert.equal(this.deaths, undefined, 'the server died under the tests');
    } finally {
      this.process.kill('SIGKILL');
    }
  }

  #statusKb(field) {
    const line = readFileSync(`/proc/${this.pid}/status`, 'utf8').split('\n').find((entry) => entry.startsWith(`${field}:`));
    return Number(/\d+/.exec(line)[0]);
  }

  // Resident bytes now, and at most since the last forgetPeakRss().
  rss() {
    return this.#statusKb('VmRSS') * 1024;
  }
  peakRss() {
    return this.#statusKb('VmHWM') * 1024;
  }
  forgetPeakRss() {
    try {
      writeFileSync(`/proc/${this.pid}/clear_refs`, '5');
    } catch {
      // Not allowed here: the peak then counts from the start, which only makes the bound stricter.
    }
  }

  openDescriptors() {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  // Milliseconds of processor time of the whole process, all threads.
  cpuMs() {
    return readdirSync(`/proc/${this.pid}/task`)
      .map((task) => Number(readFileSync(`/proc/${this.pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e6)
      .reduce((sum, each) => sum + each, 0);
  }
}

// A server that runs while the tests of the calling file or describe() run.
export function useFixture(role, options) {
  const fixture = new Fixture(role, options);
  before(async () => {
    await fixture.start();
    fixture.startAgainWhenDead();
  });
  after(() => fixture.stop());
  return fixture;
}

export async function withTimeout(promise, milliseconds, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${milliseconds} ms for ${what}`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function once(emitter, event, milliseconds = 5_000) {
  const happened = new Promise((resolve) => emitter.once(event, (...values) => resolve(values)));
  return withTimeout(happened, milliseconds, `event "${event}"`);
}

// True as soon as the condition holds, false when it did not in time. For states outside this process (memory, descriptors).
export async function eventually(condition, milliseconds = 5_000) {
  const end = Date.now() + milliseconds;
  while (Date.now() < end) {
    if (await condition()) return true;
    await pause(20);
  }
  return Boolean(await condition());
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// The bytes a row may cost. Sanitizers pad and shadow every block: three times as much, and 24 MB for their own tables; TSan keeps
// four words beside each of ours, and gives nothing back of what a row before needed. Release has the bound as it stands.
export function rssBound(bytes) {
  if (sanitizer === 'thread') return bytes * 6 + 48 * 1024 * 1024;
  return sanitized ? bytes * 3 + 24 * 1024 * 1024 : bytes;
}
