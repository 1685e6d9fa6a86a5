// test/e2e/engineio_protocol.test.mjs - the Engine.IO v4 protocol, step by step, against role `engineio`.
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { useFixture, eventually } from './harness.mjs';
import { PollingSession, kSeparator, request } from './polling.mjs';
import { RawWebSocket } from './wire.mjs';

const server = useFixture('engineio');
const kPath = '/engine.io/';
const kWebSocketPath = `${kPath}?EIO=4&transport=websocket`;

const openWebSocket = async (options) => {
  const socket = await RawWebSocket.open(server.port, kWebSocketPath, options);
  const handshake = JSON.parse((await socket.next()).slice(1));
  return { socket, handshake };
};
const probe = (session, options) => RawWebSocket.open(server.port, `${kWebSocketPath}&sid=${session.sid}`, options);

describe('handshake', () => {
  it('over polling gives the open packet with every key', async () => {
    const answer = await request(server, `${kPath}?EIO=4&transport=polling`);
    assert.equal(answer.status, 200);
    assert.match(answer.headers['content-type'], /^text\/plain/);
    assert.equal(answer.body[0], '0');
    const { sid, ...rest } = JSON.parse(answer.body.slice(1));
    assert.equal(typeof sid, 'string');
    assert.deepEqual(rest, { upgrades: ['websocket'], pingInterval: 300, pingTimeout: 200, maxPayload: 1_000_000 });
  });

  it('over WebSocket gives the open packet without upgrades', async () => {
    const { socket, handshake } = await openWebSocket();
    const { sid, ...rest } = handshake;
    assert.equal(sid.length, 20);
    assert.deepEqual(rest, { upgrades: [], pingInterval: 300, pingTimeout: 200, maxPayload: 1_000_000 });
    socket.destroy();
  });

  it('gives every session its own sid', async () => {
    const sessions = await Promise.all(Array.from({ length: 20 }, () => PollingSession.open(server)));
    assert.equal(new Set(sessions.map((session) => session.sid)).size, 20);
  });

  for (const [query, code, message] of [
    ['transport=polling', 5, 'Unsupported protocol version'],
    ['EIO=abc&transport=polling', 5, 'Unsupported protocol version'],
    ['EIO=3&transport=polling', 5, 'Unsupported protocol version'],
    ['EIO=4', 0, 'Transport unknown'],
    ['EIO=4&transport=abc', 0, 'Transport unknown'],
    ['EIO=4&transport=polling&sid=nobody', 1, 'Session ID unknown'],
    ['EIO=4&transport=websocket', 3, 'Bad request'],
  ]) {
    it(`is refused for ?${query}`, async () => {
      const answer = await request(server, `${kPath}?${query}`);
      assert.equal(answer.status, 400);
      assert.match(answer.headers['content-type'], /^application\/json/);
      assert.equal(answer.body, JSON.stringify({ code, message }));
    });
  }

  it('is refused for another method than GET', async () => {
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const answer = await request(server, `${kPath}?EIO=4&transport=polling`, { method });
      assert.equal(answer.status, 400);
      assert.deepEqual(JSON.parse(answer.body), { code: 2, message: 'Bad handshake method' });
    }
  });

  it('as a WebSocket upgrade is refused before 101 for an unknown transport and an unknown sid', async () => {
    for (const [query, message] of [['transport=abc', 'Transport unknown'], ['transport=websocket&sid=nobody', 'Session ID unknown']]) {
      const { response } = await RawWebSocket.open(server.port, `${kPath}?EIO=4&${query}`);
      assert.equal(response.status, 400);
      assert.equal(response.body, message);
    }
  });

  it('works with the path in front of any further query', async () => {
    const session = await PollingSession.open(server, { query: '&t=x&name=J%C3%BCrgen&empty=' });
    await session.post('4hello');
    assert.equal(await session.next(), '4hello');
  });

  it('elsewhere is 404', async () => {
    assert.equal((await request(server, '/elsewhere')).status, 404);
  });
});

describe('cross-origin', () => {
  it('preflight is answered 204 for any origin', async () => {
    const headers = { Origin: 'http://page.example', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'x-one' };
    const answer = await request(server, `${kPath}?EIO=4&transport=polling`, { method: 'OPTIONS', headers });
    assert.equal(answer.status, 204);
    assert.equal(answer.headers['access-control-allow-origin'], '*');
    assert.equal(answer.headers['access-control-allow-headers'], 'x-one');
    assert.match(answer.headers['access-control-allow-methods'], /POST/);
  });

  it('answers and error answers carry the header', async () => {
    for (const query of ['EIO=4&transport=polling', 'EIO=4&transport=abc']) {
      const answer = await request(server, `${kPath}?${query}`, { headers: { Origin: 'http://page.example' } });
      assert.equal(answer.headers['access-control-allow-origin'], '*');
    }
  });
});

describe('messages over polling', () => {
  it('come back in one later poll, in order, when one POST carried them', async () => {
    const session = await PollingSession.open(server);
    const posted = await session.post(['4one', '4two', '4three'].join(kSeparator));
    assert.equal(posted.status, 200);
    assert.equal(posted.body, 'ok');
    const polled = await session.get();
    assert.equal(polled.body, ['4one', '4two', '4three'].join(kSeparator));
  });

  it('wake a parked poll', async () => {
    const session = await PollingSession.open(server);
    const parked = await session.park();
    await session.post('4wake');
    assert.equal((await parked.answer).body, '4wake');
  });

  it('are UTF-8, and the length counts bytes', async () => {
    const session = await PollingSession.open(server);
    await session.post('4€ ä 😀 てすと');
    const polled = await session.get();
    assert.equal(polled.body, '4€ ä 😀 てすと');
    assert.equal(Number(polled.headers['content-length']), polled.bytes.length);
    assert.match(polled.headers['content-type'], /^text\/plain; charset=UTF-8$/i);
  });

  it('are binary as base64', async () => {
    const session = await PollingSession.open(server);
    await session.post(['4text', 'bAQIDBA==', 'b', 'bAA=='].join(kSeparator));
    assert.deepEqual(await session.take(4), ['4text', 'bAQIDBA==', 'b', 'bAA==']);
  });

  it('may be empty', async () => {
    const session = await PollingSession.open(server);
    await session.post(['4', '4'].join(kSeparator));
    assert.deepEqual(await session.take(2), ['4', '4']);
  });

  it('may fill the announced maxPayload to the last byte', async () => {
    const session = await PollingSession.open(server);
    const message = `4${'x'.repeat(999_999)}`;
    assert.equal((await session.post(message)).status, 200);
    assert.equal(await session.next(), message);
  });

  it('are compressed when the client takes gzip or deflate', async () => {
    for (const encoding of ['gzip', 'deflate']) {
      const session = await PollingSession.open(server);
      await session.post(`4${'compressible '.repeat(500)}`);
      const polled = await session.get({ headers: { 'Accept-Encoding': encoding } });
      assert.equal(polled.headers['content-encoding'], encoding);
      assert.ok(polled.bytes.length < 1000);
    }
  });

  it('are not stored by caches', async () => {
    const session = await PollingSession.open(server);
    assert.match(session.answer.headers['cache-control'] ?? '', /no-store/);
  });
});

describe('messages over WebSocket', () => {
  it('come back as they went, text and binary', async () => {
    const { socket } = await openWebSocket();
    const messages = ['4hello', '4', '4€ 😀', Buffer.from([1, 2, 3]), Buffer.alloc(0), Buffer.alloc(100_000, 7)];
    for (const message of messages) await socket.send(message);
    assert.deepEqual(await socket.messages.take(messages.length), messages);
    socket.destroy();
  });
});

describe('heartbeat', () => {
  it('over polling: answered pings keep the session, and each comes about an interval later', async () => {
    const session = await PollingSession.open(server);
    for (let round = 0; round < 3; round += 1) {
      const polled = await session.get();
      assert.equal(polled.body, '2');
      assert.equal((await session.post('3')).status, 200);
    }
  });

  it('over polling: an unanswered ping ends the session', async () => {
    const session = await PollingSession.open(server);
    const gone = await eventually(async () => {
      const { status, body } = await session.get();
      return status === 400 && JSON.parse(body).code === 1;
    });
    assert.ok(gone);
  });

  it('over WebSocket: answered pings keep the session', async () => {
    const { socket } = await openWebSocket({ heartbeat: false });
    for (let round = 0; round < 3; round += 1) {
      assert.equal(await socket.next(), '2');
      await socket.send('3');
    }
    socket.destroy();
  });

  it('over WebSocket: an unanswered ping closes it', async () => {
    const { socket } = await openWebSocket({ heartbeat: false });
    await socket.waitForClose();
  });
});

describe('close', () => {
  it('by the client over polling: the parked poll is let go with a noop and the sid forgotten', async () => {
    const session = await PollingSession.open(server);
    const parked = await session.park();
    const posted = await session.post('1');
    assert.equal(posted.status, 200);
    const { status, body } = await parked.answer;
    assert.equal(status, 200);
    assert.equal(body, '6');
    const later = await session.get();
    assert.equal(later.status, 400);
    assert.equal(JSON.parse(later.body).code, 1);
  });

  it('by the client over WebSocket: a CLOSE frame ends the session', async () => {
    const { socket, handshake } = await openWebSocket();
    await socket.close(1000);
    await socket.waitForClose();
    const forgotten = await eventually(async () => {
      const later = await request(server, `${kPath}?EIO=4&transport=polling&sid=${handshake.sid}`);
      return JSON.parse(later.body).code === 1;
    });
    assert.ok(forgotten);
  });

  it('by an unknown packet over WebSocket', async () => {
    const { socket } = await openWebSocket();
    await socket.send('abc');
    await socket.waitForClose();
  });

  it('by a second poll while one is parked: the first learns it, the second is refused', async () => {
    const session = await PollingSession.open(server);
    const first = await session.park();
    assert.equal((await session.get()).status, 400);
    const { status, body } = await first.answer;
    assert.equal(status, 200);
    assert.equal(body, '1');
    assert.equal((await session.get()).status, 400);
  });
});

describe('upgrade', () => {
  it('probes, switches, and forgets polling', async () => {
    const session = await PollingSession.open(server);
    const socket = await probe(session);
    await socket.send('2probe');
    assert.equal(await socket.next(), '3probe');
    await socket.send('5');
    await socket.send('4after');
    assert.equal(await socket.next(), '4after');
    const late = await session.get();
    assert.equal(late.status, 400);
    assert.equal(JSON.parse(late.body).code, 3);
    socket.destroy();
  });

  it('lets a parked poll go with a noop while probing', async () => {
    const session = await PollingSession.open(server);
    const parked = await session.park();
    const socket = await probe(session);
    await socket.send('2probe');
    assert.equal(await socket.next(), '3probe');
    assert.equal((await parked.answer).body, '6');
    socket.destroy();
  });

  it('keeps messages that were queued on polling', async () => {
    const session = await PollingSession.open(server);
    await session.post('4before');
    const socket = await probe(session);
    await socket.send('2probe');
    assert.equal(await socket.next(), '3probe');
    await socket.send('5');
    assert.equal(await socket.next(), '4before');
    socket.destroy();
  });

  it('given up after the probe leaves the session on polling', async () => {
    const session = await PollingSession.open(server);
    const socket = await probe(session);
    await socket.send('2probe');
    assert.equal(await socket.next(), '3probe');
    socket.destroy();
    await session.post('4still');
    assert.equal(await session.next(), '4still');
  });

  it('with anything else than a probe loses only the new transport', async () => {
    const session = await PollingSession.open(server);
    const socket = await probe(session);
    await socket.send('4no probe');
    await socket.waitForClose();
    await session.post('4still');
    assert.equal(await session.next(), '4still');
  });

  it('a second time closes the second socket and leaves the session alone', async () => {
    const session = await PollingSession.open(server);
    const socket = await probe(session);
    await socket.send('2probe');
    assert.equal(await socket.next(), '3probe');
    const second = await probe(session);
    assert.equal(second.response.status, 101);
    await second.waitForClose();
    await socket.send('5');
    await socket.send('4mine');
    assert.equal(await socket.next(), '4mine');
    socket.destroy();
  });
});
