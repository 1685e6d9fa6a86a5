// test/e2e/engine_client.test.mjs - the official engine.io-client against role `engine-client`.
import { afterEach, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { Socket } from 'engine.io-client';
import { once, useFixture } from './harness.mjs';
import { PollingSession, request } from './polling.mjs';
import { Inbox, RawWebSocket } from './wire.mjs';

const server = useFixture('engine-client');
const kUtf8 = 'пойду спать всем спокойной ночи';

const open = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.close();
});
const client = (options) => {
  const socket = new Socket(server.url, options);
  socket.inbox = new Inbox();
  socket.on('message', (message) => socket.inbox.push(message));
  open.push(socket);
  return socket;
};

for (const [name, transports] of Object.entries({ polling: ['polling'], websocket: ['websocket'], upgrade: ['polling', 'websocket'] })) {
  describe(`engine.io-client, ${name}`, () => {
    it('opens and is greeted with "hi"', async () => {
      const socket = client({ transports });
      await once(socket, 'open');
      assert.equal(await socket.inbox.next(), 'hi');
    });

    it('gets binary and UTF-8', async () => {
      const socket = client({ transports });
      socket.binaryType = 'nodebuffer';
      await socket.inbox.next();
      socket.send('give binary');
      assert.deepEqual(await socket.inbox.next(), Buffer.from([0, 1, 2, 3, 4]));
      socket.send('give utf8');
      assert.equal(await socket.inbox.next(), kUtf8);
    });

    it('is echoed, text and binary', async () => {
      const socket = client({ transports });
      socket.binaryType = 'nodebuffer';
      await socket.inbox.next();
      for (const message of ['one', kUtf8, Buffer.from([5, 6, 7]), 'last']) {
        socket.send(message);
        assert.deepEqual(await socket.inbox.next(), message);
      }
    });

    it('lives through heartbeats', async () => {
      const socket = client({ transports });
      await once(socket, 'heartbeat', 3_000);
      await once(socket, 'heartbeat', 3_000);
    });

    it('is refused with `deny`', async () => {
      const socket = client({ transports, query: { deny: 1 } });
      await once(socket, 'error');
      assert.notEqual(socket.readyState, 'open');
    });

    it('closes', async () => {
      const socket = client({ transports });
      await once(socket, 'open');
      const gone = once(socket, 'close');
      socket.close();
      await gone;
    });
  });
}

describe('over HTTP', () => {
  it('`deny` is 403 with code 4', async () => {
    const { status, body } = await request(server, '/engine.io/?EIO=4&transport=polling&deny=1');
    assert.equal(status, 403);
    assert.deepEqual(JSON.parse(body), { code: 4, message: 'Forbidden' });
  });

  it('the handshake sets four cookies, later answers none', async () => {
    const session = await PollingSession.open(server);
    const cookies = session.answer.headers['set-cookie'];
    assert.deepEqual(cookies.slice(0, 3), ['1=1; Max-Age=86400', '2=2; Path=/; HttpOnly; Secure; SameSite=Strict', '3=3; Max-Age=0']);
    assert.match(cookies[3], /^4=4; Expires=\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
    assert.equal(cookies.length, 4);
    assert.equal((await session.get()).headers['set-cookie'], undefined);
  });

  it('engine.io-client keeps the cookies that live', async () => {
    const socket = client({ transports: ['polling'], withCredentials: true });
    await socket.inbox.next();
    socket.send('sendHeaders');
    const headers = JSON.parse(await socket.inbox.next());
    assert.equal(headers.cookie, '1=1; 2=2');
  });

  it('`sendHeaders` gives the headers of the POST that carried it', async () => {
    const session = await PollingSession.open(server);
    assert.equal(await session.next(), '4hi');
    await session.post('4sendHeaders', { headers: { 'X-Carrier': 'this POST' } });
    const headers = JSON.parse((await session.next()).slice(1));
    assert.equal(headers['x-carrier'], 'this POST');
  });

  it('maxPayload is 100: a body of 100 bytes is accepted, 101 is 413 and the session lives', async () => {
    const session = await PollingSession.open(server);
    assert.equal(session.handshake.maxPayload, 100);
    assert.equal(await session.next(), '4hi');
    const full = `4${'x'.repeat(99)}`;
    assert.equal((await session.post(full)).status, 200);
    assert.equal(await session.next(), full);
    const over = await session.post(`${full}y`);
    assert.equal(over.status, 413);
    assert.equal(over.body, '');
    await session.post('4alive');
    assert.equal(await session.next(), '4alive');
  });

  it('a WebSocket message over maxPayload is closed with 1009', async () => {
    const socket = await RawWebSocket.open(server.port, '/engine.io/?EIO=4&transport=websocket');
    assert.match(await socket.next(), /^0\{/);
    assert.equal(await socket.next(), '4hi');
    await socket.send(`4${'x'.repeat(99)}`);
    assert.equal((await socket.next()).length, 100);
    await socket.send(`4${'x'.repeat(100)}`);
    assert.equal((await socket.waitForClose()).code, 1009);
  });
});
