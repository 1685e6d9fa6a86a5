// test/e2e/official_client.test.mjs - socket.io-client 4.8 against role `client`: all that fixtures.md lists, on polling only,
// on WebSocket only, and with the upgrade in the middle.
import { describe, it, afterEach } from 'node:test';
import assert from 'node:assert/strict';
import { io, Manager } from 'socket.io-client';
import { Fixture, once, tidewireOnly, useFixture, withTimeout } from './harness.mjs';

const server = useFixture('client');
const kMatrix = { 'polling only': ['polling'], 'websocket only': ['websocket'], upgrade: ['polling', 'websocket'] };

const sockets = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) {
    socket.disconnect();
    socket.io._close();
  }
});
const client = (path = '/', options = {}) => {
  const socket = io(`${server.url}${path}`, { forceNew: true, ...options });
  sockets.push(socket);
  return socket;
};
const connected = async (path, options) => {
  const socket = client(path, options);
  await once(socket, 'connect');
  return socket;
};
const answer = (socket, ...message) => withTimeout(socket.emitWithAck(...message), 5_000, `the ack of ${message[0]}`);
const reply = async (socket, event, ...message) => {
  const arrived = once(socket, event);
  socket.emit(...message);
  return arrived;
};

for (const [name, transports] of Object.entries(kMatrix)) {
  describe(`socket.io-client, ${name}`, () => {
    const options = { transports };

    it('connects and knows its id on both sides', async () => {
      const socket = await connected('/', options);
      assert.equal(await answer(socket, 'getId'), socket.id);
      assert.notEqual(socket.id, socket.io.engine.id);
    });

    it('ends up on the last transport of its list', async () => {
      const socket = await connected('/', options);
      if (transports.length > 1 && socket.io.engine.transport.name === 'polling') await once(socket.io.engine, 'upgrade');
      assert.equal(socket.io.engine.transport.name, transports.at(-1));
      assert.equal(await answer(socket, 'echo', 'after'), 'after');
    });

    it('shows the handshake to the server', async () => {
      const socket = await connected('/?who=me%20too', { ...options, auth: { token: 'secret' }, extraHeaders: { 'X-Mine': 'yes' } });
      const handshake = await answer(socket, 'getHandshake');
      assert.deepEqual(handshake.auth, { token: 'secret' });
      assert.equal(handshake.query.who, 'me too');
      assert.equal(handshake.query.EIO, '4');
      assert.equal(handshake.query.transport, transports[0]);
      assert.equal(handshake.headers['x-mine'], 'yes');
      assert.match(handshake.url, /^\/socket\.io\//);
      assert.match(handshake.address, /127\.0\.0\.1$/);
      assert.equal(handshake.xdomain, false);
      assert.equal(handshake.secure, false);
      assert.ok(Math.abs(handshake.issued - Date.now()) < 60_000);
      assert.ok(!Number.isNaN(Date.parse(handshake.time)));
    });

    it('sends and receives events, false and UTF-8', async () => {
      const socket = await connected('/', options);
      assert.deepEqual(await reply(socket, 'hi', 'hi'), []);
      assert.deepEqual(await reply(socket, 'false', 'false'), [false]);
      const words = [];
      const all = new Promise((resolve) => {
        socket.on('takeUtf8', (word) => words.push(word) === 5 && resolve());
      });
      socket.emit('getUtf8');
      await withTimeout(all, 5_000, 'five takeUtf8');
      assert.deepEqual(words, ['てすと', 'Я Б Г Д Ж Й', 'Ä ä Ü ü ß', 'utf8 — string', 'utf8 — string']);
    });

    it('echoes every kind of value', async () => {
      const socket = await connected('/', options);
      const values = [null, true, false, 0, -1.25e-7, 2 ** 53 - 1, '', 'a"\\\n\u0000\u2028', '😀', [], {}, [[1, [2]], { a: { b: null } }], { 'ключ': 1 }];
      for (const value of values) assert.deepEqual(await answer(socket, 'echo', value), value);
    });

    it('echoes binary in every position', async () => {
      const socket = await connected('/', options);
      const bytes = Buffer.from([0, 1, 254, 255]);
      const values = [
        bytes,
        Buffer.alloc(0),
        [bytes, 'text', Buffer.from('other')],
        { first: bytes, deep: [{ second: [bytes] }, null], last: 1 },
        Buffer.alloc(200_000, 7),
      ];
      for (const value of values) assert.deepEqual(await answer(socket, 'echo', value), value);
    });

    it('answers the server\'s acknowledgements', async () => {
      const socket = await connected('/', options);
      const gotIt = once(socket, 'got it');
      socket.on('ack', (acknowledge) => acknowledge(5, { test: true }));
      socket.emit('ack');
      await gotIt;
    });

    it('gets dates as ISO strings', async () => {
      const socket = await connected('/', options);
      const isDate = (value) => assert.match(value, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      isDate(await answer(socket, 'getAckDate', { test: true }));
      isDate((await reply(socket, 'takeDate', 'getDate'))[0]);
      isDate((await reply(socket, 'takeDateObj', 'getDateObj'))[0].date);
    });

    it('sends and receives bytes alone and inside objects', async () => {
      const socket = await connected('/', options);
      const bytes = Buffer.from('asdfasdf');
      assert.deepEqual(await reply(socket, 'doge', 'doge'), [bytes]);
      assert.deepEqual(await reply(socket, 'takebin', 'getbin'), [bytes]);
      await reply(socket, 'buffack', 'buffa', bytes);
      await reply(socket, 'back', 'blob', bytes);
      await reply(socket, 'jsonbuff-ack', 'jsonbuff', { hello: 'lol', message: bytes, goodbye: 'gotcha' });
      await reply(socket, 'jsonblob-ack', 'jsonblob', { hello: 'lol', message: bytes, goodbye: 'gotcha' });
      const second = once(socket, 'abuff2-ack');
      socket.emit('abuff1', bytes);
      socket.emit('abuff2', 'please arrive second');
      await second;
      const third = once(socket, 'blob3-ack');
      socket.emit('blob1', bytes);
      socket.emit('blob2', 'second');
      socket.emit('blob3', bytes);
      await third;
    });

    it('keeps the order of a thousand events, begun before it was connected', async () => {
      const socket = client('/', options);
      const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) => answer(socket, 'echo', i)));
      assert.deepEqual(answers, Array.from({ length: 1000 }, (_, i) => i));
    });

    it('drops an unknown event without acknowledging it', async () => {
      const socket = await connected('/', options);
      const [error] = await new Promise((resolve) => socket.timeout(200).emit('nobody listens', (...values) => resolve(values)));
      assert.match(error.message, /timed out/);
      assert.equal(await answer(socket, 'echo', 'alive'), 'alive');
    });

    it('multiplexes namespaces on one connection', async () => {
      const manager = new Manager(server.url, options);
      const main = manager.socket('/');
      const foo = manager.socket('/foo');
      const abc = manager.socket('/abc');
      sockets.push(main, foo, abc);
      const handshake = once(abc, 'handshake');
      await Promise.all([main, foo].map((socket) => once(socket, 'connect')));
      const ids = await Promise.all([answer(main, 'getId'), answer(foo, 'getId')]);
      assert.deepEqual(ids, [main.id, foo.id]);
      assert.notEqual(main.id, foo.id);
      assert.match((await handshake)[0].url, /^\/socket\.io\//);
    });

    it('leaves one namespace and keeps the other', async () => {
      const manager = new Manager(server.url, options);
      const [main, foo] = [manager.socket('/'), manager.socket('/foo')];
      sockets.push(main, foo);
      await Promise.all([main, foo].map((socket) => once(socket, 'connect')));
      foo.disconnect();
      assert.equal(await answer(main, 'echo', 1), 1);
      const before = main.id;
      foo.connect();
      await once(foo, 'connect');
      assert.equal(await answer(foo, 'getId'), foo.id);
      assert.equal(main.id, before);
    });

    it('is refused by the middleware of "/" and of "/no", and for an unknown namespace', async () => {
      const refusals = [['/?fail=true', 'Auth failed (main namespace)'], ['/no', 'Auth failed (custom namespace)'], ['/nowhere', 'Invalid namespace']];
      for (const [path, message] of refusals) {
        const socket = client(path, options);
        const [error] = await once(socket, 'connect_error');
        assert.equal(error.message, message);
        assert.equal(socket.connected, false);
      }
    });

    it('shows the query of a namespace', async () => {
      const socket = client('/abc?b=c&d=e', options);
      const [handshake] = await once(socket, 'handshake');
      assert.equal(handshake.query.b, 'c');
      assert.equal(handshake.query.d, 'e');
      assert.match(handshake.url, /b=c&d=e/);
    });

    it('comes back after its transport was cut, with what it buffered', async () => {
      const socket = await connected('/', { ...options, reconnectionDelay: 10 });
      const firstId = socket.id;
      const gone = once(socket, 'disconnect');
      socket.io.engine.close();
      await gone;
      const buffered = answer(socket, 'echo', 'while away');
      await once(socket, 'connect');
      assert.notEqual(socket.id, firstId);
      assert.equal(await buffered, 'while away');
    });

    it('disconnects and connects by hand', async () => {
      const socket = await connected('/', options);
      const gone = once(socket, 'disconnect');
      socket.disconnect();
      assert.equal((await gone)[0], 'io client disconnect');
      socket.connect();
      await once(socket, 'connect');
      assert.equal(await answer(socket, 'echo', 2), 2);
    });

    it('opens too late for a short timeout, then reconnects never', async () => {
      const socket = client('/timeout', { ...options, timeout: 2, reconnection: false });
      const [error] = await once(socket.io, 'error');
      assert.ok(error instanceof Error);
    });
  });
}

describe('beside the transports', () => {
  it('empty namespaces accept and hold their sockets', async () => {
    for (const path of ['/timeout_socket', '/valid', '/asd']) {
      const socket = await connected(path);
      assert.ok(socket.connected);
    }
  });

  it('a restarted server is found again', async () => {
    const short = await new Fixture('client').start();
    const socket = io(short.url, { forceNew: true, reconnectionDelay: 20, reconnectionDelayMax: 50 });
    sockets.push(socket);
    await once(socket, 'connect');
    const gone = once(socket, 'disconnect', 10_000);
    const lost = once(socket.io, 'reconnect_attempt', 10_000);
    await short.stop();
    await gone;
    await lost;
    const again = new Fixture('client');
    again.arguments[1] = String(short.port);
    await again.start();
    await once(socket, 'connect', 10_000);
    assert.equal(await answer(socket, 'echo', 'back'), 'back');
    socket.disconnect();
    await again.stop();
  });

  it('a server that stops in the middle of an upgrade says so', { ...tidewireOnly, timeout: 60_000 }, async () => {
    for (let round = 0; round < 6; ++round) {
      const short = await new Fixture('client').start();
      const socket = io(short.url, { forceNew: true, reconnection: false });
      sockets.push(socket);
      // The client has its 3probe: it pauses polling, and when that is done it sends the 5.
      await once(socket.io.engine, 'upgrading', 10_000);
      const gone = new Promise((resolve) => socket.io.engine.once('close', resolve));
      const stopped = short.stop();
      if (round % 2 === 1) await new Promise((resolve) => setImmediate(resolve));
      assert.notEqual(await withTimeout(gone, 20_000, 'the end'), 'ping timeout');
      await stopped;
    }
  });

  it('volatile events reach a listening server', async () => {
    const socket = await connected('/', { transports: ['websocket'] });
    const arrived = once(socket, 'hi');
    socket.volatile.emit('hi');
    await arrived;
  });

  it('two clients do not hear each other', async () => {
    const [one, two] = await Promise.all([connected(), connected()]);
    two.onAny((event) => assert.fail(`two heard ${event}`));
    await reply(one, 'hi', 'hi');
    assert.equal(await answer(two, 'echo', 'own'), 'own');
  });

  it('an idle client lives through several heartbeats', { timeout: 15_000 }, async () => {
    const clients = await Promise.all([connected('/', { transports: ['polling'] }), connected('/', { transports: ['websocket'] })]);
    await Promise.all(clients.map(async (socket) => {
      await once(socket.io.engine, 'heartbeat', 5_000);
      await once(socket.io.engine, 'heartbeat', 5_000);
      assert.equal(await answer(socket, 'echo', 'alive'), 'alive');
    }));
  });
});
