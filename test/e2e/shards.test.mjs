// test/e2e/shards.test.mjs - several shards behave as one server: each request on a fresh TCP connection lands where the
// kernel likes, and still finds its session, its room and its order.
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { io } from 'socket.io-client';
import WebSocket from 'ws';
import { once, reference, useFixture, withTimeout } from './harness.mjs';
import { kSeparator, PollingSession } from './polling.mjs';
import { Inbox, RawTcp, RawWebSocket } from './wire.mjs';

const kShards = 4;
const kWebSocketPath = '/engine.io/?EIO=4&transport=websocket';

describe('sessions over several shards', () => {
  const server = useFixture('engineio', { shards: kShards });

  it('find every polling request, whichever shard accepted it', async () => {
    const sessions = await Promise.all(Array.from({ length: 16 }, () => PollingSession.open(server)));
    await Promise.all(sessions.map(async (session, who) => {
      for (let i = 0; i < 20; i += 1) {
        assert.equal((await session.post(`4${who} ${i}`)).status, 200);
        assert.equal(await session.next(), `4${who} ${i}`);
      }
    }));
  });

  it('take large bodies that arrive on another shard', async () => {
    const message = `4${'body '.repeat(100_000)}`;
    for (let i = 0; i < 8; i += 1) {
      const session = await PollingSession.open(server);
      assert.equal((await session.post(message)).status, 200);
      assert.equal(await session.next(), message);
    }
  });

  it('wake a poll that is parked on one connection by a POST on another', async () => {
    for (let i = 0; i < 16; i += 1) {
      const session = await PollingSession.open(server);
      const parked = await session.park();
      await session.post('4wake');
      assert.equal((await parked.answer).body, '4wake');
    }
  });

  it('refuse a sid that no shard knows', async () => {
    const session = await PollingSession.open(server);
    for (const sid of [session.sid.replace(/^./, (c) => (c === 'A' ? 'B' : 'A')), session.sid.slice(0, -1), `${session.sid}A`, '_'.repeat(20), '-'.repeat(20)]) {
      session.sid = sid;
      const { status, body } = await session.get();
      assert.equal(status, 400);
      assert.equal(JSON.parse(body).code, 1);
    }
  });

  it('upgrade on a connection that another shard accepted, and keep the order', async () => {
    for (let i = 0; i < 16; i += 1) {
      const session = await PollingSession.open(server);
      await session.post(['40', '41', '42'].join(kSeparator));
      const socket = await RawWebSocket.open(server.port, `${kWebSocketPath}&sid=${session.sid}`);
      await socket.send('2probe');
      assert.equal(await socket.next(), '3probe');
      await socket.send('5');
      await socket.send('43');
      assert.deepEqual(await socket.messages.take(4), ['40', '41', '42', '43']);
      socket.destroy();
    }
  });

  it('answer pipelined requests of different sessions in order on one connection', async () => {
    const sessions = await Promise.all(Array.from({ length: 4 }, () => PollingSession.open(server)));
    await Promise.all(sessions.map((session, i) => session.post(`4${i}`)));
    const stream = await RawTcp.connect(server.port);
    await stream.write(sessions.map((session) => `GET ${session.target} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join(''));
    for (let i = 0; i < sessions.length; i += 1) assert.equal((await stream.response()).body, `4${i}`);
    stream.destroy();
  });
});

describe('broadcast over several shards', { skip: reference && 'no reference for role bench' }, () => {
  const server = useFixture('bench', { shards: kShards });

  it('reaches every Socket.IO client once, in order, over both transports', async () => {
    const clients = Array.from({ length: 24 }, (_, i) =>
      io(server.url, { forceNew: true, transports: i % 2 === 0 ? ['websocket'] : ['polling'], reconnection: false }));
    await Promise.all(clients.map((client) => once(client, 'connect')));
    const heard = clients.map((client) => {
      const inbox = new Inbox();
      client.on('message', (value) => inbox.push(value));
      return inbox;
    });
    const kRounds = 50;
    for (let i = 0; i < kRounds; i += 1) await withTimeout(clients[0].emitWithAck('broadcast', i), 5_000, 'the ack of broadcast');
    const expected = Array.from({ length: kRounds }, (_, i) => i);
    for (const inbox of heard) assert.deepEqual(await inbox.take(kRounds), expected);
    for (const client of clients) client.disconnect();
  });

  it('keeps the order of each of several senders', async () => {
    const clients = Array.from({ length: 8 }, () => io(server.url, { forceNew: true, transports: ['websocket'], reconnection: false }));
    await Promise.all(clients.map((client) => once(client, 'connect')));
    const inboxes = clients.map((client) => {
      const inbox = new Inbox();
      client.on('message', (value) => inbox.push(value));
      return inbox;
    });
    const kEach = 100;
    for (let i = 0; i < kEach; i += 1) clients.forEach((client, who) => client.emit('broadcast', [who, i], () => {}));
    for (const inbox of inboxes) {
      const next = clients.map(() => 0);
      for (const [who, i] of await inbox.take(kEach * clients.length)) {
        assert.equal(i, next[who]);
        next[who] += 1;
      }
    }
    for (const client of clients) client.disconnect();
  });

  it('reaches every raw WebSocket once', async () => {
    const sockets = await Promise.all(Array.from({ length: 16 }, async () => {
      const socket = new WebSocket(`${server.webSocketUrl}/raw`);
      socket.inbox = new Inbox();
      socket.on('message', (message) => socket.inbox.push(message.toString()));
      await once(socket, 'open');
      return socket;
    }));
    sockets[0].send('plain echo');
    assert.equal(await sockets[0].inbox.next(), 'plain echo');
    for (let i = 0; i < 20; i += 1) sockets[i % sockets.length].send(`b${i}`);
    for (const socket of sockets) {
      const messages = await socket.inbox.take(20);
      assert.deepEqual(new Set(messages), new Set(Array.from({ length: 20 }, (_, i) => `b${i}`)));
      socket.terminate();
    }
  });

  it('`echo` is acknowledged', async () => {
    const client = io(server.url, { forceNew: true });
    await once(client, 'connect');
    assert.deepEqual(await client.emitWithAck('echo', { a: [1] }), { a: [1] });
    client.disconnect();
  });
});
