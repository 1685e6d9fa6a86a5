// The HTTP API from outside: every endpoint, every refusal, and what clients of both kinds hear.
import { test, describe, before, after } from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import { io } from 'socket.io-client';
import WebSocket from 'ws';
import { Fixture, eventually, once, pause, useFixture } from './harness.mjs';

const kAdmin = 'an-admin-token-of-32-characters!';

// {status, headers, text, body}; body is the parsed JSON if it is some.
function ask(fixture, method, path, { body, headers = {}, token } = {}) {
  const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const all = { ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
                ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers };
  return new Promise((resolve, reject) => {
    const request = http.request({ host: fixture.host, port: fixture.port, method, path, headers: all }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => { text += chunk; }).on('end', () => {
        const json = answer.headers['content-type'] === 'application/json' && text !== '' ? JSON.parse(text) : undefined;
        resolve({ status: answer.statusCode, headers: answer.headers, text, body: json });
      });
    });
    request.on('error', reject).setTimeout(5_000, () => request.destroy(new Error(`no answer to ${method} ${path}`)));
    request.end(payload);
  });
}

function refused(answer, status, code) {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.body.ok, false);
  assert.equal(answer.body.error.code, code);
  assert.ok(answer.body.error.message.length > 0);
}

async function socketClient(fixture, user, options = {}) {
  const client = io(fixture.url, { transports: ['websocket'], forceNew: true, reconnection: false, auth: user ? { user } : {}, ...options });
  await once(client, 'connect');
  return client;
}

async function plainClient(fixture, room) {
  const client = new WebSocket(`${fixture.webSocketUrl}/ws`);
  client.heard = [];
  client.on('message', (text) => client.heard.push(JSON.parse(text)));
  await once(client, 'open');
  client.send(JSON.stringify({ type: 'enter', data: room }));
  return client;
}

describe('open on this machine, without keys', () => {
  const fixture = useFixture('api', { shards: 2 });
  const get = (path, options) => ask(fixture, 'GET', path, options);
  const post = (path, body, options) => ask(fixture, 'POST', path, { body, ...options });

  test('every endpoint of the document answers, and in the way it says', async () => {
    const { body: document, headers } = await get('/api/openapi.json');
    assert.equal(document.openapi, '3.1.0');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['cache-control'], 'no-store');
    const ids = new Set();
    for (const [path, item] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(item)) {
        assert.ok(!ids.has(operation.operationId), operation.operationId);
        ids.add(operation.operationId);
        const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
        const places = (operation.parameters ?? []).filter((each) => each.in === 'path');
        assert.deepEqual(places.map((each) => each.name), named);
        assert.ok(places.every((each) => each.required === true));
        for (const parameter of operation.parameters ?? []) assert.ok(parameter.schema.type, `${path} ${parameter.name}`);
        assert.ok(operation.tags.every((tag) => document.tags.some((each) => each.name === tag)));
        const answer = await ask(fixture, method.toUpperCase(), path.replace(/\{\w+\}/g, 'x'), operation.requestBody ? { body: {} } : {});
        assert.ok(Object.hasOwn(operation.responses, String(answer.status)) || answer.status === 501, `${method} ${path}: ${answer.status}`);
        assert.notEqual(answer.status, 500, path);
      }
    }
    assert.ok(ids.size > 30);
    for (const match of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      assert.ok(match[1].split('/').reduce((node, key) => node?.[key], document), match[1]);
    }
  });

  test('wrong methods, types, sizes, paths and parameters are refused in one shape', async () => {
    const { body: document } = await get('/api/openapi.json');
    for (const [path, item] of Object.entries(document.paths)) {
      const target = path.replace(/\{\w+\}/g, 'x');
      const wrong = await ask(fixture, 'PATCH', target);
      refused(wrong, 405, 'method_not_allowed');
      assert.ok(wrong.headers.allow.includes('OPTIONS'));
      for (const [method, operation] of Object.entries(item)) {
        const big = method.toUpperCase();
        const fine = operation.requestBody ? { body: '{}' } : {};
        const expected = path === '/api/v1/websocket/connection-health' ? [401, 'unauthorized'] : [400, 'unknown_parameter'];
        refused(await ask(fixture, big, `${target}?no_such=1`, fine), ...expected);
        if (!operation.requestBody) continue;
        refused(await ask(fixture, big, target, { body: '{}', headers: { 'content-type': 'text/plain' } }), 415, 'unsupported_media_type');
        refused(await ask(fixture, big, target, { body: '{"a":' }), 400, 'invalid_json');
        refused(await ask(fixture, big, target, { body: '['.repeat(100) + ']'.repeat(100) }), 400, 'invalid_json');
        refused(await ask(fixture, big, target, { body: { surely_unknown: 1 } }), 400, 'invalid_body');
        refused(await ask(fixture, big, target, { body: `{"message":"${'x'.repeat(1_000_001)}"}` }), 413, 'body_too_large');
      }
    }
    refused(await get('/api/nowhere'), 404, 'not_found');
    refused(await get(`/api/v1/rooms/${'x'.repeat(257)}`), 400, 'invalid_path');
    refused(await get(`/api/v1/rooms/${'x'.repeat(129)}`), 400, 'invalid_room');
    for (const name of ['%zz', '%ff', '%00', '%0A']) assert.equal((await get(`/api/v1/rooms/${name}`)).status, 400);
    refused(await get('/api/v1/rooms?namespace=/none'), 404, 'unknown_namespace');
    refused(await get('/api/v1/connections/AAAAAAAAAAAAAAAAAAAA'), 404, 'not_found');
    assert.equal((await ask(fixture, 'HEAD', '/health')).text, '');
  });

  test('a publication reaches clients of both kinds in a room, and nobody else', async () => {
    const [inside, outside] = [await socketClient(fixture, 'ada'), await socketClient(fixture, 'bob')];
    const plain = await plainClient(fixture, 'news');
    inside.emit('enter', 'news');
    assert.ok(await eventually(async () => (await get('/api/v1/rooms/news')).body.room.members === 2));
    let stray = 0;
    outside.on('headline', () => { stray += 1; });
    const heard = once(inside, 'headline');
    const { body } = await post('/api/v1/publish', { event: 'headline', room: 'news', data: { text: 'hi', octets: { $bytes: 'AQI=' } } });
    assert.equal(body.ok, true);
    const [value] = await heard;
    assert.equal(value.text, 'hi');
    assert.deepEqual([...value.octets], [1, 2]);
    assert.ok(await eventually(() => plain.heard.some((each) => each.type === 'headline')));
    assert.deepEqual(plain.heard.find((each) => each.type === 'headline').data, { text: 'hi', octets: { $bytes: 'AQI=' } });

    const toBob = once(outside, 'note');
    await post('/api/v1/publish', { event: 'note', user: 'bob', args: [1, 'two'] });
    assert.deepEqual(await toBob, [1, 'two']);
    const toAda = once(inside, 'note');
    await post('/api/v1/publish', { event: 'note', socket: inside.id, data: 3 });
    assert.deepEqual(await toAda, [3]);
    const both = [once(inside, 'all'), once(outside, 'all')];
    await post('/api/v1/publish', { event: 'all', all: true });
    await Promise.all(both);
    assert.equal(stray, 0);
    for (const [path, body2, event] of [['/api/websocket/test-broadcast', undefined, 'test-broadcast'],
                                        ['/api/v1/announcements', { message: 'soon' }, 'system-announcement']]) {
      const system = once(inside, event);
      assert.equal((await post(path, body2)).status, 200);
      const [sent] = await system;
      assert.ok(sent.message.length > 0 && Date.parse(sent.timestamp) > 0);
    }
    for (const client of [inside, outside]) client.close();
    plain.close();
  });

  test('an idempotency key sends once, answers the same, and belongs to one message', async () => {
    const client = await socketClient(fixture, 'ida');
    let count = 0;
    client.on('once', () => { count += 1; });
    const message = { event: 'once', user: 'ida', data: 1, idempotency_key: 'k1' };
    const first = (await post('/api/v1/publish', message)).body;
    const again = (await post('/api/v1/publish', message)).body;
    assert.equal(again.id, first.id);
    assert.equal(again.duplicate, true);
    refused(await post('/api/v1/publish', { ...message, data: 2 }), 409, 'idempotency_mismatch');
    const batch = { messages: [{ event: 'once', user: 'ida', data: 1 }, { event: 'once', user: 'ida', data: 1 }] };
    const headers = { 'idempotency-key': 'b1' };
    const results = (await post('/api/v1/publish/batch', batch, { headers })).body.results;
    assert.equal(new Set(results.map((each) => each.id)).size, 2);
    assert.deepEqual((await post('/api/v1/publish/batch', batch, { headers })).body.results.map((each) => each.duplicate), [true, true]);
    const wrong = await post('/api/v1/publish/batch', { messages: [batch.messages[0], { event: 'disconnect', all: true }] });
    refused(wrong, 400, 'invalid_event');
    assert.equal(wrong.body.error.details.index, 1);
    refused(await post('/api/v1/publish/batch', { messages: Array(1001).fill(batch.messages[0]) }), 400, 'invalid_body');
    refused(await post('/api/v1/publish', batch.messages[0], { headers: { 'idempotency-key': 'x'.repeat(65) } }), 400, 'invalid_parameter');
    await pause(100);
    assert.equal(count, 3);
    client.close();
  });

  test('pages over 250 connections on two shards have no double and no gap', async () => {
    const clients = await Promise.all(Array.from({ length: 250 }, (_, index) => socketClient(fixture, `page${index % 100}`)));
    for (const client of clients) client.emit('enter', 'pages');
    assert.ok(await eventually(async () => (await get('/api/v1/rooms/pages')).body.room.members === 250));
    const collect = async (path, list, key) => {
      const found = [];
      for (let after = ''; ;) {
        const { body } = await get(`${path}limit=37${after ? `&after=${encodeURIComponent(after)}` : ''}`);
        assert.equal(body.complete, true);
        found.push(...body[list].map((each) => each[key]));
        if (body.next === null) return found;
        after = body.next;
      }
    };
    const ids = clients.map((client) => client.id).sort();
    assert.deepEqual((await collect('/api/v1/connections?', 'connections', 'id')).sort(), ids);
    assert.deepEqual((await collect('/api/v1/rooms/pages/members?', 'connections', 'id')).sort(), ids);
    assert.equal(new Set(await collect('/api/v1/presence?', 'users', 'user')).size, 100);
    const users = await collect('/api/v1/presence?room=pages&', 'users', 'user');
    assert.equal(users.length, 100);
    assert.equal((await get('/api/v1/presence?user=page3')).body.users[0].devices, 3);
    assert.equal((await collect('/api/v1/rooms?prefix=user:page&', 'rooms', 'name')).length, 100);
    for (const client of clients) client.close();
    assert.ok(await eventually(async () => (await get('/api/v1/connections')).body.connections.length === 0));
  });

  test('back ends move, show and disconnect connections; nothing secret is shown', async () => {
    const options = { extraHeaders: { cookie: 'sid=cookie-secret' }, query: { token: 'query-secret' } };
    const [ada, other] = [await socketClient(fixture, 'ada', options), await socketClient(fixture, 'ada')];
    const one = await get(`/api/v1/connections/${ada.id}`);
    assert.equal(one.body.connection.user, 'ada');
    assert.equal(one.body.connection.dialect, 'socketio');
    assert.ok(!/secret/.test(one.text));
    await post('/api/v1/rooms/den/join', { users: ['ada'] });
    assert.ok(await eventually(async () => (await get('/api/v1/rooms/den')).body.room.members === 2));
    await post('/api/v1/rooms/den/leave', { sockets: [other.id] });
    assert.ok(await eventually(async () => (await get('/api/v1/rooms/den')).body.room.members === 1));
    refused(await post('/api/v1/rooms/user%3Aada/join', { sockets: [other.id] }), 400, 'invalid_room');
    refused(await ask(fixture, 'DELETE', '/api/v1/connections/den'), 404, 'not_found');
    refused(await ask(fixture, 'DELETE', `/api/v1/connections/${ada.id}?code=1000`), 400, 'invalid_parameter');
    const health = await get('/api/v1/websocket/connection-health', { token: 'token:ada' });
    assert.equal(health.body.total, 2);
    assert.equal(health.body.userId, 'ada');
    const gone = once(ada, 'disconnect');
    assert.equal((await ask(fixture, 'DELETE', `/api/v1/connections/${ada.id}?code=4321&reason=out`)).status, 200);
    await gone;
    const goneToo = once(other, 'disconnect');
    assert.equal((await post('/api/v1/users/ada/disconnect')).body.disconnected, 1);
    await goneToo;
    assert.ok(await eventually(async () => (await get('/api/v1/users/ada')).body.online === false));
  });

  test('the statistics have the shape of the mission', async () => {
    const client = await socketClient(fixture);
    const plain = await plainClient(fixture, 'x');
    const { body } = await get('/api/websocket/stats');
    assert.deepEqual(Object.keys(body), ['socketIO', 'webSocket', 'rooms']);
    for (const kind of [body.socketIO, body.webSocket]) {
      assert.equal(kind.available, true);
      assert.equal(kind.connected, 1);
      assert.equal(kind.stats.connected, 1);
      assert.ok(kind.stats.total >= 1);
    }
    assert.equal(body.rooms.global, 2);
    const metrics = await get('/metrics');
    assert.match(metrics.headers['content-type'], /^text\/plain; version=0\.0\.4/);
    assert.match(metrics.text, /^tidewire_plain_peers 1$/m);
    assert.ok(!/global|user:/.test(metrics.text));
    client.close();
    plain.close();
  });

  test('pages of other origins get nothing, those that are named get CORS headers', async () => {
    const named = await ask(fixture, 'OPTIONS', '/api/v1/publish', { headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' } });
    assert.equal(named.status, 204);
    assert.equal(named.headers['access-control-allow-origin'], 'https://app.example');
    assert.match(named.headers['access-control-allow-headers'], /Authorization/);
    const evil = await ask(fixture, 'OPTIONS', '/api/v1/publish', { headers: { origin: 'https://evil.example' } });
    assert.equal(evil.headers['access-control-allow-origin'], undefined);
    // Without keys the machine's own user is trusted, not the pages in his browser: C12.
    for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, { host: 'evil.example' }, { 'x-forwarded-for': '192.0.2.1' }]) {
      refused(await post('/api/v1/users/ada/disconnect', undefined, { headers }), 401, 'unauthorized');
    }
  });

  test('the page to read has a strict policy and no script', async () => {
    const page = await get('/api/docs');
    assert.match(page.headers['content-security-policy'], /default-src 'self'.*frame-ancestors 'none'/);
    assert.ok(!page.text.includes('<script'));
    assert.equal((await get('/api/docs/style.css')).headers['content-type'], 'text/css; charset=utf-8');
  });
});

describe('locked, and with a rate', () => {
  let fixture;
  before(async () => {
    process.env.TIDEWIRE_API_ADMIN_TOKEN = kAdmin;
    process.env.TIDEWIRE_API_RATE = '1/s burst 60';
    fixture = await new Fixture('api').start();
    delete process.env.TIDEWIRE_API_ADMIN_TOKEN;
    delete process.env.TIDEWIRE_API_RATE;
  });
  after(() => fixture.stop());

  test('only the right key or role opens what is locked, and 401 says nothing more', async () => {
    for (const path of ['/api/v1/rooms', '/api/admin/websocket-analytics', '/metrics', '/api/contracts']) {
      const answers = [await ask(fixture, 'GET', path), await ask(fixture, 'GET', path, { token: 'wrong' }),
                       await ask(fixture, 'GET', path, { token: kAdmin.slice(1) }), await ask(fixture, 'GET', path, { headers: { authorization: `Basic ${kAdmin}` } }),
                       await ask(fixture, 'GET', path, { token: kAdmin, headers: { 'x-api-key': kAdmin } })];
      for (const answer of answers) {
        refused(answer, 401, 'unauthorized');
        assert.equal(answer.headers['www-authenticate'], 'Bearer');
        assert.equal(answer.text, answers[0].text);
      }
      assert.equal((await ask(fixture, 'GET', path, { token: kAdmin })).status, 200);
      assert.equal((await ask(fixture, 'GET', path, { headers: { 'x-api-key': kAdmin } })).status, 200);
      refused(await ask(fixture, 'GET', path, { token: 'token:ada' }), 403, 'forbidden');
    }
    assert.equal((await ask(fixture, 'GET', '/api/v1/rooms', { token: 'token:ada:api:read' })).status, 200);
    refused(await ask(fixture, 'POST', '/api/v1/publish', { token: 'token:ada:api:read', body: { event: 'e', all: true } }), 403, 'forbidden');
    refused(await ask(fixture, 'GET', '/api/v1/rooms?tenant=acme', { token: 'token:ada:api:read' }), 403, 'forbidden');
    assert.equal((await ask(fixture, 'GET', '/api/v1/rooms?tenant=acme', { token: kAdmin })).status, 200);
    assert.equal((await ask(fixture, 'GET', `/api/v1/rooms?token=${kAdmin}`)).status, 401);
  });

  test('who asks too often is told when to come again; the administrator has a rate of his own', async () => {
    let answer;
    for (let i = 0; i < 100 && answer?.status !== 429; i += 1) answer = await ask(fixture, 'GET', '/api/websocket/stats');
    refused(answer, 429, 'rate_limited');
    assert.equal(answer.headers['retry-after'], '1');
    assert.ok(answer.body.error.details.retry_after_ms <= 1000);
    assert.equal((await ask(fixture, 'GET', '/healthz')).status, 200);
    assert.equal((await ask(fixture, 'GET', '/api/websocket/stats', { token: kAdmin })).status, 200);
  });
});
