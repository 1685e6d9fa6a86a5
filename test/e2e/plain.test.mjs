// test/e2e/plain.test.mjs - plain WebSocket clients by the envelopes of the fixture page, alone and in one room with
// socket.io-client.
import { afterEach, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { io } from 'socket.io-client';
import { once, reference, useFixture, withTimeout } from './harness.mjs';
import { binary, Inbox, RawWebSocket } from './wire.mjs';

const kBytes = Buffer.from([0, 1, 254, 255]);
const kBytesEnvelope = { $bytes: kBytes.toString('base64') };

describe('role plain', { skip: reference && 'no reference for role plain' }, () => {
  const server = useFixture('plain', { shards: 2 });
  const open = [];
  afterEach(() => {
    for (const close of open.splice(0)) close();
  });

  // A plain peer: send(object) and next() in JSON, ask() waits for the acknowledgement.
  const plain = async (path = '/') => {
    const socket = await RawWebSocket.open(server.port, path);
    assert.equal(socket.response.status, 101);
    open.push(() => socket.destroy());
    let lastId = 0;
    const send = (envelope) => socket.send(JSON.stringify(envelope));
    const next = async () => JSON.parse(await socket.next());
    const ask = async (envelope) => {
      lastId += 1;
      await send({ ...envelope, id: lastId });
      const { type, id, data } = await next();
      assert.deepEqual([type, id], ['ack', lastId]);
      return data;
    };
    return { socket, send, next, ask };
  };
  const official = async (options = {}) => {
    const client = io(server.url, { forceNew: true, reconnection: false, ...options });
    open.push(() => client.disconnect());
    client.inbox = new Inbox();
    client.on('said', (...values) => client.inbox.push(values));
    await once(client, 'connect');
    return client;
  };
  const ask = (client, ...message) => withTimeout(client.emitWithAck(...message), 5_000, `the ack of ${message[0]}`);

  describe('acknowledgements', () => {
    it('answer with the id that was asked, number or short string', async () => {
      const peer = await plain();
      for (const id of [1, 0, 'abc', 4_294_967_296]) {
        await peer.send({ type: 'echo', id, data: 'value' });
        assert.deepEqual(await peer.next(), { type: 'ack', id, data: 'value' });
      }
    });

    it('echo any value of `data`', async () => {
      const peer = await plain();
      for (const data of [null, true, -1.5, '', '€ 😀', [], [1, [2]], {}, { a: { b: null } }]) {
        assert.deepEqual(await peer.ask({ type: 'echo', data }), data);
      }
    });

    it('echo the fields of a flat message as one object, without type and id', async () => {
      const peer = await plain();
      assert.deepEqual(await peer.ask({ type: 'echo', one: 1, two: [2] }), { one: 1, two: [2] });
    });

    it('are the same at /ws and /api/ws', async () => {
      for (const path of ['/ws', '/api/ws']) {
        const peer = await plain(path);
        assert.deepEqual(await peer.ask({ type: 'echo', data: { x: 1 } }), { x: 1 });
        assert.deepEqual(await peer.ask({ type: 'echo', x: 1 }), { x: 1 });
      }
    });

    it('carry bytes as base64 both ways', async () => {
      const peer = await plain();
      assert.deepEqual(await peer.ask({ type: 'echo', data: kBytesEnvelope }), kBytesEnvelope);
      assert.deepEqual(await peer.ask({ type: 'echo', data: { deep: [kBytesEnvelope] } }), { deep: [kBytesEnvelope] });
    });
  });

  describe('rooms', () => {
    it('join, say and leave', async () => {
      const peer = await plain();
      assert.deepEqual(await peer.ask({ type: 'join', room: 'r1' }), { ok: true });
      await peer.send({ type: 'say', room: 'r1', text: 'hello' });
      assert.deepEqual(await peer.next(), { type: 'said', room: 'r1', text: 'hello' });
      assert.deepEqual(await peer.ask({ type: 'leave', room: 'r1' }), { ok: true });
      assert.deepEqual(await peer.ask({ type: 'say', room: 'r1', text: 'to nobody' }), { ok: true });
      assert.equal(await peer.ask({ type: 'echo', data: 'nothing in between' }), 'nothing in between');
    });

    it('spare the sender when `others` is set', async () => {
      const [one, two] = [await plain(), await plain()];
      for (const peer of [one, two]) await peer.ask({ type: 'join', room: 'r2' });
      assert.deepEqual(await one.ask({ type: 'say', room: 'r2', text: 'x', others: true }), { ok: true });
      assert.deepEqual(await two.next(), { type: 'said', room: 'r2', text: 'x' });
      assert.equal(await one.ask({ type: 'echo', data: 1 }), 1);
    });

    it('get `data` at /ws and /api/ws, flat at /', async () => {
      const [flat, ws, api] = [await plain('/'), await plain('/ws'), await plain('/api/ws')];
      for (const peer of [flat, ws, api]) await peer.ask({ type: 'join', room: 'r3' });
      await flat.send({ type: 'say', room: 'r3', text: { any: ['json'] } });
      assert.deepEqual(await flat.next(), { type: 'said', room: 'r3', text: { any: ['json'] } });
      for (const peer of [ws, api]) assert.deepEqual(await peer.next(), { type: 'said', data: { room: 'r3', text: { any: ['json'] } } });
    });

    it('are shared with Socket.IO: both hear both', async () => {
      for (const transports of [['websocket'], ['polling']]) {
        const [peer, client] = [await plain(), await official({ transports })];
        await peer.ask({ type: 'join', room: 'shared' });
        assert.deepEqual(await ask(client, 'join', { room: 'shared' }), { ok: true });
        assert.deepEqual(await peer.ask({ type: 'say', room: 'shared', text: 'from plain', others: true }), { ok: true });
        assert.deepEqual(await client.inbox.next(), [{ room: 'shared', text: 'from plain' }]);
        assert.deepEqual(await ask(client, 'say', { room: 'shared', text: 'from socket.io', others: true }), { ok: true });
        assert.deepEqual(await peer.next(), { type: 'said', room: 'shared', text: 'from socket.io' });
        assert.deepEqual(await ask(client, 'leave', { room: 'shared' }), { ok: true });
        client.disconnect();
        peer.socket.destroy();
      }
    });

    it('carry bytes from one dialect to the other', async () => {
      const [peer, client] = [await plain(), await official()];
      await peer.ask({ type: 'join', room: 'bytes' });
      await ask(client, 'join', { room: 'bytes' });
      await ask(client, 'say', { room: 'bytes', text: { picture: kBytes }, others: true });
      assert.deepEqual(await peer.next(), { type: 'said', room: 'bytes', text: { picture: kBytesEnvelope } });
      await peer.send({ type: 'say', room: 'bytes', text: kBytesEnvelope, others: true });
      assert.deepEqual(await client.inbox.next(), [{ room: 'bytes', text: kBytes }]);
    });

    it('keep the order of one sender', async () => {
      const [peer, client] = [await plain(), await official()];
      await peer.ask({ type: 'join', room: 'order' });
      for (let i = 0; i < 200; i += 1) client.emit('say', { room: 'order', text: i });
      for (let i = 0; i < 200; i += 1) assert.equal((await peer.next()).text, i);
    });

    it('are joined by nobody on their own', async () => {
      const [peer, client] = [await plain(), await official()];
      await ask(client, 'say', { room: 'general', text: 'x' });
      await ask(client, 'say', { room: '', text: 'x' }).catch(() => {});
      assert.equal(await peer.ask({ type: 'echo', data: 'silence' }), 'silence');
    });
  });

  describe('built-in types', () => {
    it('`ping` is answered by `pong` with the same id', async () => {
      const peer = await plain();
      await peer.send({ type: 'ping', id: 7 });
      assert.deepEqual(await peer.next(), { type: 'pong', id: 7 });
      await peer.send({ type: 'ping' });
      assert.deepEqual(await peer.next(), { type: 'pong' });
    });

    for (const [what, message] of [
      ['invalid JSON', '{"type":'],
      ['words', 'hello'],
      ['no object', '[1,2]'],
      ['a number', '5'],
      ['an object without type', '{"data":1}'],
      ['an object whose type is no string', '{"type":5}'],
      ['an empty message', ''],
    ]) {
      it(`${what} is answered by \`error\`, and the connection stays`, async () => {
        const peer = await plain();
        await peer.socket.send(message);
        const { type, ...fields } = await peer.next();
        assert.equal(type, 'error');
        const { code, message: words } = fields.data ?? fields;
        assert.ok(code !== undefined && typeof words === 'string', JSON.stringify(fields));
        assert.equal(await peer.ask({ type: 'echo', data: 'still here' }), 'still here');
      });
    }

    it('an unknown event is dropped, a binary frame too when nobody listens to `message`', async () => {
      const peer = await plain();
      await peer.send({ type: 'nobody listens', data: 1 });
      await peer.socket.write(binary(kBytes));
      assert.equal(await peer.ask({ type: 'echo', data: 2 }), 2);
    });
  });

  describe('beside Socket.IO', () => {
    it('the handlers answer socket.io-client too, on every transport', async () => {
      for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
        const client = await official({ transports });
        assert.deepEqual(await ask(client, 'echo', { a: [kBytes] }), { a: [kBytes] });
      }
    });

    it('the namespace is chosen by the query, "/" is the default', async () => {
      const peer = await plain('/?namespace=/');
      assert.equal(await peer.ask({ type: 'echo', data: 1 }), 1);
    });

    it('an unknown namespace is refused', async () => {
      const socket = await RawWebSocket.open(server.port, '/?namespace=/nowhere');
      if (socket.response.status === 101) await socket.waitForClose();
      else assert.ok(socket.response.status >= 400);
    });

    it('a plain peer that goes away is forgotten by its rooms', async () => {
      const [peer, client] = [await plain(), await official()];
      await peer.ask({ type: 'join', room: 'left' });
      peer.socket.reset();
      await ask(client, 'join', { room: 'left' });
      await ask(client, 'say', { room: 'left', text: 1 });
      assert.deepEqual(await client.inbox.next(), [{ room: 'left', text: 1 }]);
    });
  });
});
