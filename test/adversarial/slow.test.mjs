// test/adversarial/slow.test.mjs - the rows that are about time: H50 to H54, W30, B08, E36, E46, A18, S57, S59. Each waits for a real
// timeout of 1, 10 or 30 s; they run side by side, so the file takes as long as its longest row.
//
// The moments are bounds on both sides, wide ones: not much before the limit, and a few seconds after it at the latest.
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { eventually, Fixture, pause, withTimeout } from '../e2e/harness.mjs';
import { kSeparator, PollingSession } from '../e2e/polling.mjs';
import { joined, joinedByPolling, openEngine } from '../e2e/socketio_raw.mjs';
import { binary, frame, Opcode, RawTcp, RawWebSocket, text, upgradeRequest } from '../e2e/wire.mjs';

const kLateMs = 6_000;  // what a busy machine may add
const client = new Fixture('client');
const socketio = new Fixture('socketio');
const raw = new Fixture('websocket');
const kPath = '/socket.io/';

// Milliseconds from now until `event` has happened, which must be about `expected` (from `earliest` to kLateMs later).
async function takes(event, expected, earliest = expected * 0.8) {
  const start = Date.now();
  await withTimeout(event, expected + kLateMs, `the timeout of ${expected} ms`);
  const passed = Date.now() - start;
  assert.ok(passed >= earliest, `after ${passed} ms, expected about ${expected}`);
}
// Sends `pieces` one by one, a second apart, until the stream ends.
async function trickle(stream, pieces) {
  for (const piece of pieces) {
    if (stream.over) return;
    await Promise.race([stream.write(piece), stream.ended]);
    await Promise.race([pause(1_000), stream.ended]);
  }
}
const answersAndEnds = async (stream, status) => {
  const answer = await stream.response(40_000);
  if (status === undefined) assert.equal(answer, undefined);
  else assert.equal(answer?.status, status);
  await stream.waitForEnd(40_000);
};

describe('2a to 2d timeouts', { concurrency: true, timeout: 60_000 }, () => {
  before(() => Promise.all([client, socketio, raw].map((server) => server.start())));
  after(() => Promise.all([client, socketio, raw].map((server) => server.stop())));

  it('adv_H50 a head sent byte by byte is 408 ten seconds after accept', async () => {
    const stream = await RawTcp.connect(client.port);
    trickle(stream, [...`GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ${'y'.repeat(100)}`]);
    await takes(answersAndEnds(stream, 408), 10_000);
  });
  it('adv_H50b a second request that stops in its head is 408 too', async () => {
    const stream = await RawTcp.connect(client.port);
    await stream.write('GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\nGET /nowh');
    assert.equal((await stream.response()).status, 404);
    await takes(answersAndEnds(stream, 408), 10_000);
  });
  it('adv_H51 a connection without a byte ends silently after ten seconds', async () => {
    const stream = await RawTcp.connect(client.port);
    await takes(answersAndEnds(stream, undefined), 10_000);
  });
  it('adv_H52 a body of one byte per second is 408', async () => {
    const session = await PollingSession.open(client, { path: kPath });
    const stream = await RawTcp.connect(client.port);
    await stream.write(`POST ${session.target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n`);
    trickle(stream, 'x'.repeat(30));
    await takes(answersAndEnds(stream, 408), 7_500, 4_000);
  });
  it('adv_H52b a body that comes fast enough is served, however long it takes', async () => {
    const session = await PollingSession.open(client, { path: kPath });
    const stream = await RawTcp.connect(client.port);
    const pieces = Array.from({ length: 12 }, () => 'x'.repeat(4_000));
    await stream.write(`POST ${session.target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${1 + 12 * 4_000}\r\n\r\n6`);
    trickle(stream, pieces);
    assert.equal((await stream.response(20_000)).status, 200);
    stream.destroy();
  });
  it('adv_H53 poll answers that nobody takes for ten seconds end the connection', async () => {
    const server = await new Fixture('client').start();
    const descriptors = server.openDescriptors();
    const session = await joinedByPolling(server);
    const stream = await RawTcp.connect(server.port);
    stream.socket.pause();
    // One connection asks and never reads, until neither side's kernel takes more: then bytes stay with the server.
    const message = `421["echo","${'e'.repeat(900_000)}"]`;
    for (let i = 0; i < 6; i += 1) {
      await stream.write(`GET ${session.target} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      assert.equal((await session.post(message)).status, 200);
    }
    assert.ok(await eventually(() => server.openDescriptors() === descriptors + 1), 'more than the one connection is left');
    await takes(eventually(() => server.openDescriptors() <= descriptors, 20_000), 10_000);
    stream.destroy();
    await server.stop();
  });
  it('adv_H54 an idle kept-alive connection ends after thirty seconds', async () => {
    const stream = await RawTcp.connect(client.port);
    await stream.write('GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n');
    assert.equal((await stream.response()).status, 404);
    await takes(answersAndEnds(stream, undefined), 30_000);
  });
  it('adv_W30 half a frame, then silence: closed after thirty seconds', async () => {
    const halves = [text('hello').subarray(0, 1), frame(Opcode.binary, 'x', { lengthForm: 64, announce: 100_000n }).subarray(0, 5), text('hello').subarray(0, 8)];
    await Promise.all(halves.map(async (half) => {
      const socket = await RawWebSocket.open(raw.port, '/');
      await socket.write(half);
      await takes(socket.waitForClose(40_000), 30_000);
    }));
  });
  it('adv_B08 a message that is never finished: closed with 1008 after thirty seconds', async () => {
    const socket = await RawWebSocket.open(raw.port, '/');
    await socket.write(binary('begin', { fin: false }));
    const keepTrickling = setInterval(() => socket.write(frame(Opcode.continuation, '', { fin: false })), 2_000);
    await takes(socket.waitForClose(40_000), 30_000).finally(() => clearInterval(keepTrickling));
    assert.equal((await socket.closed).code, 1008);
  });
  it('adv_E36 an upgrade that never probes, and one that never switches: closed after ten seconds', async () => {
    const session = await PollingSession.open(client, { path: kPath });
    await session.post('40');
    await session.next();
    const target = `${kPath}?EIO=4&transport=websocket&sid=${session.sid}`;
    const silent = await RawWebSocket.open(client.port, target);
    const usedMeanwhile = async () => {
      for (let i = 0; i < 12; i += 1) {
        session.post('421["echo",1]');
        assert.equal(await session.next(), '431[1]');
        await pause(1_000);
      }
    };
    await Promise.all([takes(silent.waitForClose(20_000), 10_000), usedMeanwhile()]);
    const probing = await RawWebSocket.open(client.port, target);
    await probing.send('2probe');
    assert.equal(await probing.next(), '3probe');
    await Promise.all([takes(probing.waitForClose(20_000), 10_000), usedMeanwhile()]);
  });
  it('adv_E46 a handshake that never polls is forgotten after ten seconds', async () => {
    const sessions = await Promise.all(Array.from({ length: 20 }, () => PollingSession.open(client, { path: kPath })));
    await pause(13_000);
    for (const session of sessions) assert.equal((await session.get()).body, '{"code":1,"message":"Session ID unknown"}');
  });
  it('adv_A18 attachments announced and held back: closed after ten seconds', async () => {
    const socket = await joined(client);
    await socket.send('452-["echo",{"_placeholder":true,"num":0}]');
    await socket.send(Buffer.from('one of two'));
    await takes(socket.waitForClose(20_000), 10_000);
  });
  it('adv_S57 no CONNECT within connectTimeout: closed', async () => {
    const socket = await openEngine(socketio);
    await takes(socket.waitForClose(), 1_000);
    const session = await PollingSession.open(socketio, { path: kPath });
    await pause(1_500);
    assert.equal((await session.post(['40', '41'].join(kSeparator))).status, 400);
  });
  it('adv_S59 1,024 acknowledgements owed by a client do not stop its own events', async () => {
    const socket = await joined(client);
    await socket.write(Buffer.concat(Array(3_000).fill(text('42["ack"]'))));
    await socket.send('421["echo","alive"]');
    for (;;) {
      const message = await socket.next();
      assert.ok(message !== undefined, 'closed');
      if (message === '431["alive"]') break;
    }
    socket.destroy();
  });
  it('adv_W40 a WebSocket client that never reads its echoes is cut with a bounded amount of memory', async () => {
    const socket = await RawTcp.connect(client.port);
    await socket.write(upgradeRequest(`${kPath}?EIO=4&transport=websocket`));
    await socket.response();
    await socket.write(text('40'));
    socket.socket.pause();
    const echo = text(`421["echo","${'e'.repeat(100_000)}"]`);
    const closed = new Promise((resolve) => socket.socket.once('close', resolve));
    const flood = (async () => {
      while (!socket.socket.destroyed) await Promise.race([socket.write(echo), closed]);
    })();
    await withTimeout(Promise.race([closed, flood]), 25_000, 'the slow consumer to be cut').finally(() => socket.destroy());
  });
});
