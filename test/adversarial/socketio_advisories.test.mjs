// test/adversarial/socketio_advisories.test.mjs - advisory table 1a (A01 to A24): what once broke a Socket.IO server.
//
// Rows whose subject does not exist yet: A19 (messages from the cluster bus) comes with the adapters, A24 (outgoing TLS verifies by
// default) with the first outgoing call.
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { eventually, Fixture, pause, sanitized } from '../e2e/harness.mjs';
import { kSeparator, PollingSession, request } from '../e2e/polling.mjs';
import { joined, joinedByPolling, openEngine } from '../e2e/socketio_raw.mjs';
import { frame, RawTcp, RawWebSocket, text, upgradeRequest } from '../e2e/wire.mjs';
import { expectClose, expectStatus, kMegabyte, useTarget } from './gauntlet.mjs';

const kPath = '/socket.io/';
const kPolling = `${kPath}?EIO=4&transport=polling`;
const kWebSocket = `${kPath}?EIO=4&transport=websocket`;
const kPlaceholder = '{"_placeholder":true,"num":0}';

// Processor milliseconds that a linear algorithm needs for a megabyte, with room for a busy machine; a quadratic one needs minutes.
const kLinearMs = sanitized ? 1_500 : 250;

describe('1a', () => {
  const { server, row } = useTarget('client');
  const openSession = () => PollingSession.open(server, { path: kPath });
  const closesWith1002 = async (...packets) => {
    const socket = await joined(server);
    for (const packet of packets) socket.send(packet);
    await expectClose(socket, 1002);
  };
  const cpuOf = async (work) => {
    const before = server.cpuMs();
    await work();
    return server.cpuMs() - before;
  };

  row('adv_A01 an event named `error` is an ordinary event', async () => {
    const socket = await joined(server);
    for (const packet of ['42["error"]', '42["error",{"message":"x"}]', '421["echo","alive"]']) socket.send(packet);
    assert.equal(await socket.next(), '431["alive"]');
    socket.destroy();
  });
  row('adv_A02 CONNECT_ERROR from a client', async () => {
    for (const packet of ['44{"message":"x"}', '442["x"]', '44/foo,{"message":"x"}', '44']) await closesWith1002(packet);
  });
  row('adv_A03 no CORS header by default, whatever the Origin', async () => {
    const origins = ['http://good.example`.evil', 'http://good.example$x', 'http://good.example.evil', 'null', 'http://good.example', 'file://'];
    for (const origin of origins) {
      for (const method of ['GET', 'OPTIONS']) {
        const { headers } = await request(server, kPolling, { method, headers: { Origin: origin } });
        assert.deepEqual(Object.keys(headers).filter((name) => name.startsWith('access-control-')), []);
      }
    }
  });
  row('adv_A04 ids are unique, long, and the Socket.IO id is not the secret sid', async () => {
    const sids = new Set();
    for (let batch = 0; batch < 10; batch += 1) {
      for (const { sid } of await Promise.all(Array.from({ length: 50 }, openSession))) sids.add(sid);
    }
    assert.equal(sids.size, 500);
    for (const sid of sids) assert.match(sid, /^[A-Za-z0-9_-]{20}$/);
    // 96 random bits: no two of 500 share their first eight characters (48 bits) but by a chance of 1 in 10^9.
    assert.equal(new Set([...sids].map((sid) => sid.slice(0, 8))).size, 500);
    const socket = await joined(server);
    assert.notEqual(socket.id, socket.handshake.sid);
    assert.ok(!socket.id.includes(socket.handshake.sid.slice(0, 8)));
    socket.destroy();
  });
  row('adv_A05 a POST of very many tiny packets', async () => {
    const session = await joinedByPolling(server);
    assert.equal((await session.post(Array.from({ length: 499 }, (_, i) => `42${i}["echo",${i}]`).join(kSeparator))).status, 200);
    assert.deepEqual(await session.take(499), Array.from({ length: 499 }, (_, i) => `43${i}[${i}]`));
    const cost = await cpuOf(async () => {
      const { status } = await session.post(`6${kSeparator}`.repeat(499_999) + '6');
      assert.equal(status, 400);
    });
    assert.ok(cost < kLinearMs, `${cost} ms of processor time`);
    assert.equal((await session.get()).status, 400);
  }, { rss: 8 * kMegabyte });
  row('adv_A06 a broken frame right behind the upgrade request', async () => {
    for (const bytes of [text('x', { rsv: 7 }), text('x', { mask: false }), Buffer.from('garbage garbage garbage')]) {
      const socket = await RawWebSocket.open(server.port, kWebSocket, { behind: bytes });
      assert.equal(socket.response.status, 101);
      await expectClose(socket, 1002);
    }
  });
  row('adv_A07 Upgrade: h2c, then gone while the refusal is written', async () => {
    const h2c = (target) => upgradeRequest(target, { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAARAAAAAAAIAAAAA' });
    await expectStatus(server, h2c(kWebSocket), 400);
    for (let i = 0; i < 200; i += 1) {
      const stream = await RawTcp.connect(server.port);
      stream.write(h2c(i % 2 === 0 ? kWebSocket : '/'));
      stream.reset();
    }
  });
  row('adv_A08 an upgrade with an unknown transport', async () => {
    for (const transport of ['foo', 'constructor', '__proto__', 'polling%00', '']) {
      const answer = await expectStatus(server, upgradeRequest(`${kPath}?EIO=4&transport=${transport}`), 400);
      assert.equal(answer.body, 'Transport unknown');
    }
    await expectStatus(server, upgradeRequest(`${kPath}?EIO=4&transport=polling`), [400, 200]);
  });
  row('adv_A09 a thousand POSTs of application/octet-stream leave no descriptor behind', async () => {
    const before = server.openDescriptors();
    for (let i = 0; i < 20; i += 1) {
      await Promise.all(Array.from({ length: 50 }, async () => {
        const session = await openSession();
        const { status } = await session.post('4x', { headers: { 'Content-Type': 'application/octet-stream' } });
        assert.equal(status, 400);
      }));
    }
    assert.ok(await eventually(() => server.openDescriptors() <= before));
  });
  row('adv_A10 an EIO=3 request on an EIO=4 session', async () => {
    const session = await openSession();
    for (const [method, body] of [['GET', undefined], ['POST', '2:40']]) {
      const answer = await request(server, session.target.replace('EIO=4', 'EIO=3'), { method, body });
      assert.equal(answer.status, 400);
      assert.equal(answer.body, '{"code":3,"message":"Bad request"}');
    }
  });
  row('adv_A11 chunks that go on behind the limit: 413 once, then the end', async () => {
    const session = await openSession();
    const stream = await RawTcp.connect(server.port);
    await stream.write(`POST ${session.target} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const chunk = `${(100_000).toString(16)}\r\n${'4'.repeat(100_000)}\r\n`;
    for (let i = 0; i < 100 && stream.bytes.length === 0 && !stream.over; i += 1) {
      await Promise.race([stream.write(chunk), stream.ended, pause(1_000)]);
    }
    const answer = await stream.response();
    assert.equal(answer.status, 413);
    assert.equal(answer.body, '');
    await stream.waitForEnd();
    assert.equal(await stream.response(), undefined, 'a second answer');
    assert.equal((await session.post('40')).status, 200);
  }, { rss: 6 * kMegabyte });
  row('adv_A12 a compressed poll answer whose reader goes away, 200 times', async () => {
    const descriptors = server.openDescriptors();
    const words = Array.from({ length: 50_000 }, (_, i) => `w${i}`).join(' ');
    for (let i = 0; i < 200; i += 1) {
      const session = await joinedByPolling(server);
      const stream = await RawTcp.connect(server.port);
      stream.write(`GET ${session.target} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n`);
      const posted = session.post(`421["echo","${i % 10 === 0 ? words : 'short'.repeat(500)}"]`).catch(() => {});
      if (i % 3 === 0) await stream.when((bytes, over) => bytes.length > 0 || over || undefined, 5_000, 'the first bytes');
      stream.reset();
      await posted;
    }
    assert.ok(await eventually(() => server.openDescriptors() <= descriptors), 'a connection is left open');
  }, { rss: 32 * kMegabyte });
  row('adv_A13 a megabyte of digits, of namespace, of id', async () => {
    const long = (character) => character.repeat(900_000);
    for (const packet of [`45${long('9')}`, `45${long('9')}-["echo"]`, `42/${long('n')},["echo"]`, `40/${long('n')}`, `42${long('1')}["echo",1]`, `42["echo",${'[],'.repeat(300_000)}1`]) {
      const cost = await cpuOf(() => closesWith1002(packet));
      assert.ok(cost < kLinearMs, `${packet.slice(0, 10)}...: ${cost} ms of processor time`);
    }
  });
  row('adv_A13b one event with 333,000 arguments is delivered or refused within bounds', async () => {
    const socket = await joined(server);
    await socket.send(`42["hi"${',[]'.repeat(333_000)}]`);
    await Promise.race([socket.closed, socket.next()]);
    socket.destroy();
  }, { rss: 64 * kMegabyte });
  row('adv_A14 a placeholder index that is no integer in range', async () => {
    for (const num of ['"splice"', '"length"', '-1', '1', '0.5', '1e1', 'null', '[]', '{}', '99999999999999999999']) {
      await closesWith1002(`451-["echo",{"_placeholder":true,"num":${num}}]`, Buffer.from('x'));
    }
  });
  row('adv_A15 an event name that is no string', async () => {
    for (const name of ['{"toString":"x"}', '[]', 'null', 'true']) await closesWith1002(`42[${name}]`);
  });
  row('adv_A16 more attachments than allowed are refused at the header', async () => {
    for (const count of ['11', '999999999', '99999999999999999999']) await closesWith1002(`45${count}-["echo",${kPlaceholder}]`);
  });
  row('adv_A17 a count of zero attachments', async () => {
    for (const packet of ['450-["x"]', '460-0["x"]', '450-[]']) {
      const socket = await joined(server);
      await socket.send(packet);
      await socket.send(Buffer.from('never wanted'));
      await expectClose(socket, 1002);
    }
  });
  row('adv_A18 attachments announced before CONNECT', async () => {
    const socket = await openEngine(server);
    await socket.send(`451-["echo",${kPlaceholder}]`);
    await expectClose(socket, 1002);
  });
  row('adv_A18b attachments held back are bounded and freed with their connection (their time limit is in slow.test.mjs)', async () => {
    const sockets = await Promise.all(Array.from({ length: 5 }, () => joined(server)));
    for (const socket of sockets) {
      await socket.send(`4510-["echo",${kPlaceholder}]`);
      for (let i = 0; i < 9; i += 1) await socket.send(Buffer.alloc(900_000, i));
    }
    for (const socket of sockets) socket.destroy();
  }, { rss: 5 * 10 * 1_000_000 + 24 * kMegabyte });
  row('adv_A21 a huge attachment count takes no memory', async () => {
    for (let i = 0; i < 20; i += 1) await closesWith1002(`451832742252-["echo",${kPlaceholder}]`);
  }, { rss: 2 * kMegabyte });
  row('adv_A22 counts beyond int, an empty packet, an unexpected binary message', async () => {
    for (const packet of ['454294967297-["x"]', '459223372036854775808-["x"]', '4', Buffer.from('x'), Buffer.alloc(0)]) await closesWith1002(packet);
  });
  row('adv_A23 Upgrade: websocket where there is no WebSocket, any method', async () => {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH']) {
      for (const path of ['/', '/nowhere', '/socket.io', '/socket.io/nowhere']) {
        await expectStatus(server, upgradeRequest(path, {}, method), [400, 404, 405]);
      }
      if (method !== 'GET') await expectStatus(server, upgradeRequest(kWebSocket, {}, method), [400, 404, 405]);
    }
  });
});

describe('1a shutting down', () => {
  it('adv_A25 SIGTERM with sockets in every state ends the process', async () => {
    const server = await new Fixture('client').start();
    const sockets = await Promise.all(Array.from({ length: 10 }, () => joined(server)));
    const waiting = await openEngine(server);
    await waiting.write(frame(1, '4', { fin: false }));
    const polling = await joinedByPolling(server);
    const parked = await polling.park();
    const idle = await RawTcp.connect(server.port);
    const halfway = await RawTcp.connect(server.port);
    await halfway.write('GET / HTTP/1.1\r\nHost: loc');
    await server.stop();
    await Promise.all([...sockets, waiting].map((socket) => socket.waitForClose()));
    await parked.answer.catch(() => {});
    await Promise.all([idle, halfway].map((stream) => stream.waitForEnd()));
  });
});

// With an origin list: it decides about cross-origin answers and about upgrades, byte for byte.
describe('1a, with an origin list', () => {
  const { server, row } = useTarget('client', { args: ['--origin', 'http://good.example', '--origin', 'https://also.example:8443'] });
  const impostors = ['http://good.example`.evil', 'http://good.example$x', 'http://good.example.evil', 'http://evil.example',
    'https://good.example', 'http://good.example:80', 'null', 'http://GOOD.example', 'http://also.example:8443'];
  const upgradeWith = async (origin, path = kWebSocket) => {
    const tcp = await RawTcp.connect(server.port);
    tcp.write(upgradeRequest(path, origin === undefined ? {} : { Origin: origin }));
    const { status, body } = await tcp.response();
    tcp.destroy();
    return { status, body };
  };

  row('adv_A03b the allow header names listed origins only', async () => {
    for (const origin of ['http://good.example', 'https://also.example:8443']) {
      const { headers } = await request(server, kPolling, { headers: { Origin: origin } });
      assert.equal(headers['access-control-allow-origin'], origin);
      assert.match(headers.vary, /Origin/);
    }
    for (const origin of impostors) {
      const { headers } = await request(server, kPolling, { headers: { Origin: origin } });
      assert.equal(headers['access-control-allow-origin'], undefined, origin);
    }
  });
  row('adv_A20 an origin list applies to upgrades too', async () => {
    for (const origin of ['http://good.example', 'https://also.example:8443', undefined]) {
      assert.equal((await upgradeWith(origin)).status, 101, String(origin));
    }
    for (const origin of impostors) assert.equal((await upgradeWith(origin)).status, 403, origin);
  });
});
