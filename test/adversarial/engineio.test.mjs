// test/adversarial/engineio.test.mjs - catalogue 2c (E01 to E45): Engine.IO requests, payloads and upgrades as they must not be.
// E36's silence and E46 (a handshake that never polls) are in slow.test.mjs; E44 is e2e/upgrades.test.mjs.
import { describe } from 'node:test';
import assert from 'node:assert/strict';
import { eventually, pause } from '../e2e/harness.mjs';
import { kSeparator, PollingSession, request } from '../e2e/polling.mjs';
import { RawTcp, RawWebSocket, text } from '../e2e/wire.mjs';
import { expectClose, expectStatus, kMegabyte, useTarget } from './gauntlet.mjs';

// Role `client` has the long heartbeat that these need; its path is Socket.IO's, its engine the same.
const kPath = '/socket.io/';
const { server, row } = useTarget('client');

const openSession = () => PollingSession.open(server, { path: kPath });
const openWebSocket = async () => {
  const socket = await RawWebSocket.open(server.port, `${kPath}?EIO=4&transport=websocket`);
  socket.handshake = JSON.parse((await socket.next()).slice(1));
  return socket;
};
const probe = (session, query = '') => RawWebSocket.open(server.port, `${kPath}?EIO=4&transport=websocket&sid=${session.sid}${query}`);
const asking = (query, options) => request(server, `${kPath}?${query}`, options);
const kMessages = ['Transport unknown', 'Session ID unknown', 'Bad handshake method', 'Bad request', 'Forbidden', 'Unsupported protocol version'];

function assertError(answer, code, status = 400) {
  assert.equal(answer.status, status, answer.body);
  assert.equal(answer.body, JSON.stringify({ code, message: kMessages[code] }));
  assert.match(answer.headers['content-type'], /^application\/json/);
}
async function assertAlive(session) {
  await session.post('40');
  assert.match(await session.next(), /^40\{/);
}
const assertGone = async (session) => assertError(await session.get(), 1);

describe('2c handshakes', () => {
  for (const [name, query] of [['E01 EIO absent', ''], ['E02 EIO=3', '&EIO=3'], ['E03 EIO=5', '&EIO=5'], ['E03b EIO=abc', '&EIO=abc']]) {
    row(`adv_${name}`, async () => assertError(await asking(`transport=polling${query}`), 5));
    row(`adv_${name}, as an upgrade, is refused before 101`, async () => {
      const { response } = await RawWebSocket.open(server.port, `${kPath}?transport=websocket${query}`);
      assert.equal(response.status, 400);
      assert.equal(response.body, kMessages[5]);
    });
  }
  for (const [name, transport] of [['E04 no transport', ''], ['E05 transport=foo', '&transport=foo'], ['E06 transport=__proto__', '&transport=__proto__'], ['E06b transport=constructor', '&transport=constructor']]) {
    row(`adv_${name}`, async () => assertError(await asking(`EIO=4${transport}`), 0));
  }
  row('adv_E07 sid=__proto__', async () => assertError(await asking('EIO=4&transport=polling&sid=__proto__'), 1));
  row('adv_E08 an unknown sid', async () => {
    for (const sid of ['nobody', 'A'.repeat(20), '%00', 'constructor', '😀', '-'.repeat(20)]) {
      assertError(await asking(`EIO=4&transport=polling&sid=${encodeURIComponent(sid)}`), 1);
    }
  });
  row('adv_E09 a sid of 7 KB is unknown, one of 9 KB too long a target', async () => {
    assertError(await asking(`EIO=4&transport=polling&sid=${'s'.repeat(7_000)}`), 1);
    assert.equal((await asking(`EIO=4&transport=polling&sid=${'s'.repeat(9_000)}`)).status, 414);
  });
  row('adv_E10 transport=websocket without an upgrade', async () => assertError(await asking('EIO=4&transport=websocket'), 3));
  row('adv_E11 duplicated parameters: the last value wins', async () => {
    assertError(await asking('EIO=4&transport=polling&transport=websocket'), 3);
    assert.equal((await asking('EIO=4&transport=websocket&transport=polling')).status, 200);
    assertError(await asking('EIO=4&EIO=3&transport=polling'), 5);
  });
  row('adv_E12 JSONP is not spoken to v4 clients', async () => {
    const answer = await asking('EIO=4&transport=polling&j=0;alert(1)');
    assert.equal(answer.status, 200);
    assert.match(answer.body, /^0\{/);
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  });
  row('adv_E15 POST and PUT without a sid', async () => {
    for (const method of ['POST', 'PUT']) assertError(await asking('EIO=4&transport=polling', { method, body: '4x' }), 2);
  });
  row('adv_E16 PUT and DELETE with a sid', async () => {
    const session = await openSession();
    for (const method of ['PUT', 'DELETE']) assert.equal((await asking(`EIO=4&transport=polling&sid=${session.sid}`, { method })).status, 405);
    await assertAlive(session);
  });
});

describe('2c payloads', () => {
  row('adv_E19 a POST of application/octet-stream', async () => {
    const session = await openSession();
    const answer = await session.post('4x', { headers: { 'Content-Type': 'application/octet-stream' } });
    assert.equal(answer.status, 400);
    await assertGone(session);
  });
  for (const [name, body] of [
    ['E20 an empty body', ''],
    ['E21 an unknown packet type', '9abc'],
    ['E22 a ping from the client', '2'],
    ['E23 separators alone', kSeparator.repeat(3)],
    ['E23b an empty packet between two good ones', `6${kSeparator}${kSeparator}6`],
    ['E24 base64 that is none', 'b###'],
    ['E24b base64 cut short', 'bA'],
    ['E25 an open packet from the client', '0{}'],
    ['E27 invalid UTF-8', Buffer.from([0x34, 0xc0, 0xaf])],
    ['E27b UTF-8 that breaks off', Buffer.from([0x34, 0xe2, 0x82])],
    ['E28 an upgrade packet', '5'],
  ]) {
    row(`adv_${name} is 400, ends the session and lets its parked poll go`, async () => {
      const session = await openSession();
      const parked = await session.park();
      assertError(await session.post(body), 3);
      const { status, body: farewell } = await parked.answer;
      assert.equal(status, 200);
      assert.match(farewell, /^[16]$/);
      await assertGone(session);
    });
  }
  row('adv_E26 a close packet is 200 and ends the session', async () => {
    const session = await openSession();
    const answer = await session.post('1');
    assert.equal(answer.status, 200);
    assert.equal(answer.body, 'ok');
    await assertGone(session);
  });
  row('adv_E28b a noop is 200', async () => {
    const session = await openSession();
    assert.equal((await session.post('6')).status, 200);
    await assertAlive(session);
  });
  row('adv_E29 more packets in one POST than the cap', async () => {
    const session = await openSession();
    assert.equal((await session.post(Array(10_000).fill('6').join(kSeparator))).status, 200);
    assertError(await session.post(Array(10_001).fill('6').join(kSeparator)), 3);
    await assertGone(session);
    const huge = await openSession();
    assertError(await huge.post(Array(200_000).fill('6').join(kSeparator)), 3);
    await assertGone(huge);
  }, { rss: 8 * kMegabyte });
  row('adv_E30 a body of one byte over maxPayload is 413 without a body, and the session lives', async () => {
    const session = await openSession();
    const answer = await session.post('4'.repeat(1_000_001));
    assert.equal(answer.status, 413);
    assert.equal(answer.body, '');
    await assertAlive(session);
  });
  row('adv_E30b a body announced over maxPayload is refused before it is read', async () => {
    const session = await openSession();
    const head = `POST ${session.target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n4begin`;
    await expectStatus(server, head, 413, { closes: true });
    await assertAlive(session);
  });
  row('adv_E31 a second GET while one is parked', async () => {
    const session = await openSession();
    const first = await session.park();
    assert.ok([400, 500].includes((await session.get()).status));
    const { status, body } = await first.answer;
    assert.equal(status, 200);
    assert.equal(body, '1');
    await assertGone(session);
  });
  row('adv_E32 a second POST while one is being sent', async () => {
    const session = await openSession();
    const slow = await RawTcp.connect(server.port);
    await slow.write(`POST ${session.target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n4half`);
    await pause(50);
    assert.ok([400, 500].includes((await session.post('4whole')).status));
    await assertGone(session);
    slow.destroy();
  });
});

describe('2c upgrades', () => {
  row('adv_E33 an upgrade packet without a probe', async () => {
    const session = await openSession();
    const socket = await probe(session);
    await socket.send('5');
    await socket.waitForClose();
    await assertAlive(session);
  });
  row('adv_E34 garbage in place of the probe', async () => {
    for (const garbage of ['4x', '2', '2prob', '2probe ', '', 'b', Buffer.from('2probe')]) {
      const session = await openSession();
      const socket = await probe(session);
      await socket.send(garbage);
      await socket.waitForClose();
      await assertAlive(session);
    }
  });
  row('adv_E35 a thousand probes: two are answered, the third closes', async () => {
    const session = await openSession();
    const socket = await probe(session);
    await socket.write(Buffer.concat(Array(1_000).fill(text('2probe'))));
    assert.deepEqual(await socket.messages.take(2), ['3probe', '3probe']);
    await socket.waitForClose();
    assert.equal(await socket.next(), undefined);
    await assertAlive(session);
  });
  row('adv_E37 a second upgrade while the first runs', async () => {
    const session = await openSession();
    const first = await probe(session);
    await first.send('2probe');
    assert.equal(await first.next(), '3probe');
    const second = await probe(session);
    assert.equal(second.response.status, 101);
    await second.waitForClose();
    await first.send('5');
    await first.send('40');
    assert.match(await first.next(), /^40\{/);
    first.destroy();
  });
  row('adv_E38 an upgrade with another protocol version', async () => {
    const session = await openSession();
    const { response } = await RawWebSocket.open(server.port, `${kPath}?EIO=3&transport=websocket&sid=${session.sid}`);
    assert.equal(response.status, 400);
    await assertAlive(session);
  });
  row('adv_E39 an upgrade onto a session that is a WebSocket already', async () => {
    const socket = await openWebSocket();
    const second = await probe(socket.handshake);
    assert.equal(second.response.status, 101);
    await second.waitForClose();
    await socket.send('40');
    assert.match(await socket.next(), /^40\{/);
    socket.destroy();
  });
  row('adv_E40 polling on the sid of a WebSocket session', async () => {
    const socket = await openWebSocket();
    for (const method of ['GET', 'POST']) {
      assertError(await asking(`EIO=4&transport=polling&sid=${socket.handshake.sid}`, { method, body: method === 'POST' ? '4x' : undefined }), 3);
    }
    socket.destroy();
  });
  row('adv_E41 a sid that was closed', async () => {
    const session = await openSession();
    await session.post('1');
    await assertGone(session);
    assertError(await session.post('4x'), 1);
    const { response } = await probe(session);
    assert.equal(response.status, 400);
    assert.equal(response.body, kMessages[1]);
  });
  row('adv_E43 no sid is ever printed (binding a session to its address is an option, off in the fixture)', async () => {
    const session = await openSession();
    await session.post('9abc');
    const socket = await openWebSocket();
    await socket.send('9abc');
    await socket.waitForClose();
    for (const sid of [session.sid, socket.handshake.sid]) assert.ok(!server.output.includes(sid));
  });
  row('adv_E45 a poll that goes away with its answer under way ends the session', async () => {
    const session = await openSession();
    await session.post('40');
    await session.next();
    const parked = await RawTcp.connect(server.port);
    await parked.write(`GET ${session.target} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await pause(50);
    parked.reset();
    assert.ok(await eventually(async () => (await session.post('42["echo",1]')).status === 400), 'the session outlived its poll');
  });
});
