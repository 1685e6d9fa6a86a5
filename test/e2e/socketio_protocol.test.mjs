// test/e2e/socketio_protocol.test.mjs - the Socket.IO v5 protocol, packet by packet, against role `socketio`.
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { pause, useFixture, reference, tidewireOnly } from './harness.mjs';
import { kSeparator, PollingSession, request } from './polling.mjs';
import { joined, joinedByPolling, openEngine } from './socketio_raw.mjs';

const server = useFixture('socketio');

// A socket in "/" whose `auth` event has been read.
const connected = async (options) => {
  const socket = await joined(server, options);
  await socket.next();
  return socket;
};

describe('connect', () => {
  it('to "/" is answered with a sid alone, then `auth` is emitted', async () => {
    const socket = await openEngine(server);
    await socket.send('40');
    const answer = await socket.next();
    assert.ok(answer.startsWith('40{'));
    const payload = JSON.parse(answer.slice(2));
    assert.deepEqual(Object.keys(payload), ['sid']);
    assert.equal(payload.sid.length, 20);
    assert.notEqual(payload.sid, socket.handshake.sid);
    assert.equal(await socket.next(), '42["auth",{}]');
    socket.destroy();
  });

  it('carries the auth payload to the handshake', async () => {
    const socket = await joined(server, { auth: { token: '123', nested: { list: [1, 2.5, null] } } });
    assert.deepEqual(JSON.parse((await socket.next()).slice(2)), ['auth', { token: '123', nested: { list: [1, 2.5, null] } }]);
    socket.destroy();
  });

  it('to a custom namespace works, with auth', async () => {
    const socket = await joined(server, { namespace: '/custom', auth: { token: 'abc' } });
    assert.equal(await socket.next(), '42/custom,["auth",{"token":"abc"}]');
    socket.destroy();
  });

  it('to a namespace with a query joins the namespace', tidewireOnly, async () => {
    const socket = await openEngine(server);
    await socket.send('40/custom?token=abc,');
    assert.match(await socket.next(), /^40\/custom,\{"sid":/);
    socket.destroy();
  });

  it('to an unknown namespace is refused and the connection stays', async () => {
    const socket = await openEngine(server);
    await socket.send('40/random');
    assert.equal(await socket.next(), '44/random,{"message":"Invalid namespace"}');
    await socket.send('40');
    assert.match(await socket.next(), /^40\{"sid":/);
    socket.destroy();
  });

  it('works over polling', async () => {
    const session = await PollingSession.open(server, { path: '/socket.io/' });
    await session.post('40');
    assert.match(await session.next(), /^40\{"sid":/);
    assert.equal(await session.next(), '42["auth",{}]');
  });

  it('to two namespaces gives two ids on one connection', async () => {
    const socket = await connected();
    await socket.send('40/custom,');
    const custom = JSON.parse((await socket.next()).slice('40/custom,'.length)).sid;
    assert.notEqual(custom, socket.id);
    assert.equal(await socket.next(), '42/custom,["auth",{}]');
    socket.destroy();
  });

  it('a second time to the same namespace closes the connection', async () => {
    const socket = await connected();
    await socket.send('40');
    await socket.waitForClose();
  });

  it('not made within connectTimeout closes the connection', async () => {
    const socket = await openEngine(server);
    await socket.waitForClose(4_000);
  });

  it('with a payload that is no object closes the connection', async () => {
    for (const payload of ['"abc"', '[]', '{']) {
      const socket = await openEngine(server);
      await socket.send(`40${payload}`);
      await socket.waitForClose();
    }
  });
});

describe('disconnect', () => {
  it('from the client leaves one namespace and keeps the other', async () => {
    const socket = await connected();
    await socket.send('40/custom,');
    await socket.messages.take(2);
    await socket.send('41/custom,');
    await socket.send('42["message","still in /"]');
    assert.equal(await socket.next(), '42["message-back","still in /"]');
    socket.destroy();
  });

  it('and connect again gives a new id', async () => {
    const socket = await connected();
    await socket.send('41');
    await pause(20);  // the reference leaves a turn later
    await socket.send('40');
    const id = JSON.parse((await socket.next()).slice(2)).sid;
    assert.notEqual(id, socket.id);
    socket.destroy();
  });
});

describe('message', () => {
  it('comes back with the same arguments', async () => {
    const socket = await connected();
    const values = [1, '2', { 3: [true] }, null, -1.5, '€ 😀', [], {}, ''];
    await socket.send(`42${JSON.stringify(['message', ...values])}`);
    assert.deepEqual(JSON.parse((await socket.next()).slice(2)), ['message-back', ...values]);
    socket.destroy();
  });

  it('without arguments comes back without arguments', async () => {
    const socket = await connected();
    await socket.send('42["message"]');
    assert.equal(await socket.next(), '42["message-back"]');
    socket.destroy();
  });

  it('with binary arguments comes back with them, wherever they are', async () => {
    const socket = await connected();
    const first = Buffer.from([1, 2, 3]);
    const second = Buffer.from([4, 5, 6]);
    await socket.send('452-["message",{"_placeholder":true,"num":0},{"deep":[{"_placeholder":true,"num":1},7]}]');
    await socket.send(first);
    await socket.send(second);
    assert.equal(await socket.next(), '452-["message-back",{"_placeholder":true,"num":0},{"deep":[{"_placeholder":true,"num":1},7]}]');
    assert.deepEqual(await socket.messages.take(2), [first, second]);
    socket.destroy();
  });

  it('with binary works over polling, in one payload', async () => {
    const session = await joinedByPolling(server);
    await session.next();
    await session.post(['451-["message",{"_placeholder":true,"num":0}]', 'bAQIDBA=='].join(kSeparator));
    assert.deepEqual(await session.take(2), ['451-["message-back",{"_placeholder":true,"num":0}]', 'bAQIDBA==']);
  });

  it('keeps its order, a hundred in a row', async () => {
    const socket = await connected();
    for (let i = 0; i < 100; i += 1) socket.send(`42["message",${i}]`);
    const echoes = await socket.messages.take(100);
    assert.deepEqual(echoes, Array.from({ length: 100 }, (_, i) => `42["message-back",${i}]`));
    socket.destroy();
  });
});

describe('acknowledgement', () => {
  it('carries the same arguments and the id', async () => {
    const socket = await connected();
    await socket.send('42456["message-with-ack",1,"2",{"3":[false]}]');
    assert.equal(await socket.next(), '43456[1,"2",{"3":[false]}]');
    socket.destroy();
  });

  it('has id 0 like any other', async () => {
    const socket = await connected();
    await socket.send('420["message-with-ack"]');
    assert.equal(await socket.next(), '430[]');
    socket.destroy();
  });

  it('carries binary', async () => {
    const socket = await connected();
    const bytes = Buffer.from([9, 8, 7]);
    await socket.send('451-789["message-with-ack",{"_placeholder":true,"num":0}]');
    await socket.send(bytes);
    assert.equal(await socket.next(), '461-789[{"_placeholder":true,"num":0}]');
    assert.deepEqual(await socket.next(), bytes);
    socket.destroy();
  });

  it('nobody waits for is ignored', async () => {
    const socket = await connected();
    await socket.send('4399["late"]');
    await socket.send('42["message","alive"]');
    assert.equal(await socket.next(), '42["message-back","alive"]');
    socket.destroy();
  });
});

describe('a broken packet closes the connection', () => {
  for (const [what, packet] of [
    ['unknown type', '4abc'],
    ['event that is an object', '42{}'],
    ['event that is an empty array', '42[]'],
    ['broken JSON', '42["a"'],
    ['event to a namespace not joined', '42/random,["a"]'],
    ['a reserved event name', '42["disconnect"]'],
    ['CONNECT_ERROR from a client', '44{"message":"x"}'],
    ['too many attachments', '4511-["a"]'],
    ['an unexpected binary message', Buffer.from([1])],
  ]) {
    it(what, async () => {
      const socket = await connected();
      await socket.send(packet);
      const { code } = await socket.waitForClose();
      if (!reference) assert.equal(code, 1002);
    });
  }
});

describe('beside the protocol', () => {
  it('events sent behind a pending CONNECT are delivered', tidewireOnly, async () => {
    const socket = await openEngine(server);
    socket.send('40');
    socket.send('42["message","early"]');
    const [answer, auth, echo] = await socket.messages.take(3);
    assert.match(answer, /^40\{"sid":/);
    assert.equal(auth, '42["auth",{}]');
    assert.equal(echo, '42["message-back","early"]');
    socket.destroy();
  });

  it('any origin may ask', async () => {
    const answer = await request(server, '/socket.io/?EIO=4&transport=polling', { headers: { Origin: 'http://page.example' } });
    assert.equal(answer.headers['access-control-allow-origin'], '*');
  });
});
