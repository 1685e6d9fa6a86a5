// test/server/tenants.test.mjs - two tenants on one server: nothing of the one is seen, reached or counted by the other.
import http from 'node:http';
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { connect, eventually, kMark, kSecret, nothingReaches, pause, plain, plainRefusal, refusal, token, useProgram } from './harness.mjs';

const kAdmin = 'adm_1f6c0b8e7d5a4932a1b0c9d8e7f60514';
const kRedKey = 'key_red_0f1e2d3c4b5a69788796a5b4c3d2e1f0';
const kEvents = `
[log]
lines_per_second = 1000
[[events]]
name = "tell-user"
to = "user:{userId}"
member_of = ""
[[events]]
name = "tell"
to = "{room}"
member_of = ""
${kMark}`;

async function api(program, method, path, { key, body } = {}) {
  const headers = { ...(key ? { authorization: `Bearer ${key}` } : {}), ...(body ? { 'content-type': 'application/json' } : {}) };
  const response = await fetch(program.url + path, { method, headers, body: body && JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}

// fetch() sends no Host of one's own.
function requestAt(program, host, path, key) {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port: program.port, path, headers: { Host: host, Authorization: `Bearer ${key}` } }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(text) }));
    });
    request.on('error', reject);
  });
}

describe('tenants by claim', () => {
  const program = useProgram({
    shards: 2,
    env: { JWT_SECRET: kSecret, TIDEWIRE_API_ADMIN_TOKEN: kAdmin },
    toml: `[tenants]\nsource = "claim"\n[[api.keys]]\nname = "red"\nkey = "${kRedKey}"\ntenant = "red"\nroles = ["publish", "read", "manage"]\n${kEvents}`,
  });
  const of = async (tenant, userId) => ({ token: await token({ userId, tenant }) });

  it('share no room, no user and no event to all, in either dialect', async () => {
    const [red, redPlain] = [await connect(program, await of('red', 'ada')), await plain(program, await of('red', 'rob'))];
    const [blue, bluePlain] = [await connect(program, await of('blue', 'ada')), await plain(program, await of('blue', 'bob'))];
    for (const client of [red, redPlain, blue, bluePlain]) assert.deepEqual(await client.ask('join', { room: 'den' }), { ok: true });
    await red.ask('tell', { room: 'den', n: 1 });
    assert.equal((await redPlain.next(5000)).n, 1);
    assert.equal((await red.next(5000))[1].n, 1);
    await bluePlain.ask('tell-user', { userId: 'ada', n: 2 });
    assert.equal((await blue.next(5000))[1].n, 2);
    await redPlain.ask('tell', { room: 'global', n: 3 });
    for (const client of [red, redPlain]) assert.ok(await client.next(5000));
    await nothingReaches(red, red, redPlain);
    await nothingReaches(blue, blue, bluePlain);
  });

  it('are the bounds of a key of the HTTP API, whatever it asks for', async () => {
    const [red, blue] = [await connect(program, await of('red', 'ada')), await connect(program, await of('blue', 'bob'))];
    for (const client of [red, blue]) await client.ask('join', { room: 'den' });
    const publish = (body, key, query = '') => api(program, 'POST', `/api/v1/publish${query}`, { key, body });
    assert.equal((await publish({ event: 'news', room: 'den', data: 1 }, kRedKey)).status, 200);
    assert.deepEqual(await red.next(5000), ['news', 1]);
    assert.equal((await publish({ event: 'news', socket: blue.id, data: 2 }, kRedKey)).status, 200);
    assert.notEqual((await publish({ event: 'news', all: true, data: 3 }, kRedKey, '?tenant=blue')).status, 200);
    await nothingReaches(blue, blue);
    const rooms = (await api(program, 'GET', '/api/v1/rooms/den/members', { key: kRedKey })).body;
    assert.deepEqual(rooms.connections.map((each) => each.id), [red.id]);
    const connections = (await api(program, 'GET', '/api/v1/connections', { key: kRedKey })).body.connections;
    assert.ok(connections.length > 0 && connections.every((each) => each.id !== blue.id));
    assert.equal((await api(program, 'DELETE', `/api/v1/connections/${blue.id}`, { key: kRedKey })).status, 404);
    assert.equal((await api(program, 'GET', '/api/v1/users/bob', { key: kRedKey })).body.online, false);
    // The administrator of no tenant names the one that is meant.
    assert.equal((await publish({ event: 'news', room: 'den', data: 4 }, kAdmin, '?tenant=blue')).status, 200);
    assert.deepEqual(await blue.next(5000), ['news', 4]);
    await nothingReaches(red, red);
  });

  // With the last socket of a tenant its copy of the namespace goes, and what it had counted must not.
  it('have totals that outlive their last socket', async () => {
    const figures = async () => {
      const { socketIO } = (await api(program, 'GET', '/api/websocket/stats?tenant=green', { key: kAdmin })).body;
      return socketIO.stats;
    };
    const isEmpty = async () => {
      for (let i = 0; i < 200 && (await figures()).connected > 0; i += 1) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    assert.deepEqual(await figures(), { connected: 0, total: 0 });
    for (let total = 1; total <= 3; total += 1) {
      const green = await connect(program, await of('green', 'gil'));
      assert.deepEqual(await figures(), { connected: 1, total });
      green.close();
      await isEmpty();
      assert.deepEqual(await figures(), { connected: 0, total });
    }
  });
});

describe('figures', () => {
  const program = useProgram({
    shards: 2,
    env: { JWT_SECRET: kSecret, TIDEWIRE_API_ADMIN_TOKEN: kAdmin },
    toml: `[tenants]\nsource = "claim"\n[[api.keys]]\nname = "red"\nkey = "${kRedKey}"\ntenant = "red"\nroles = ["read"]\n`,
  });
  const of = async (tenant, userId) => ({ token: await token({ userId, tenant }) });
  const counts = ({ body }) => [body.socketIO.connected, body.socketIO.stats.total, body.webSocket.connected, body.webSocket.stats.total, body.rooms.global];

  it('of one tenant do not show what the others have', async () => {
    const red = await connect(program, await of('red', 'ada'));
    const [peer] = [await plain(program, await of('red', 'rob')), await connect(program, await of('blue', 'bob')), await connect(program, await of('blue', 'eve'))];
    await peer.ask('echo');
    const stats = (key, query = '') => api(program, 'GET', `/api/websocket/stats${query}`, { key });
    assert.deepEqual(counts(await stats(kRedKey)), [1, 1, 1, 1, 2]);
    red.disconnect();
    assert.ok(await eventually(async () => counts(await stats(kRedKey))[0] === 0));
    assert.deepEqual(counts(await stats(kRedKey)), [0, 1, 1, 1, 1]);
    assert.deepEqual(counts(await stats(kAdmin, '?tenant=blue')), [2, 2, 0, 0, 2]);
    assert.deepEqual(counts(await stats(kAdmin)).slice(0, 4), [2, 3, 1, 1]);
    assert.equal((await stats(kRedKey, '?tenant=blue')).status, 403);
    assert.equal((await stats()).status, 401);
  });

  it('stay out of what is open to everybody', async () => {
    for (const key of [undefined, kRedKey]) {
      const health = (await api(program, 'GET', '/api/websocket/health', { key })).body;
      assert.deepEqual([health.status, health.connections, health.socketIO.connected], ['healthy', null, null]);
      assert.deepEqual((await api(program, 'GET', '/health', { key })).body, { status: 'ok', statistics: {} });
      const detailed = (await api(program, 'GET', '/api/health/detailed', { key })).body;
      assert.deepEqual([detailed.status, detailed.components.websocket.connected, detailed.components.memory.heldBytes], ['healthy', null, null]);
    }
    assert.ok((await api(program, 'GET', '/api/websocket/health', { key: kAdmin })).body.connections >= 0);
  });
});

describe('the place of a tenant', () => {
  const program = useProgram({ shards: 2, env: { JWT_SECRET: kSecret }, toml: '[tenants]\nsource = "claim"\nsockets_max = 2\n' });
  const of = async (tenant) => ({ token: await token({ userId: 'ada', tenant }) });

  it('is bounded, and no other tenant sees it', async () => {
    const [first] = [await connect(program, await of('red')), await plain(program, await of('red'))];
    await pause(50);
    assert.equal((await refusal(program, await of('red'))).data.code, 'tenant_full');
    const { error, code } = await plainRefusal(program, await of('red'));
    assert.deepEqual([error.code, code], ['tenant_full', 4010]);
    assert.ok(await connect(program, await of('blue')));
    first.disconnect();
    await pause(50);
    assert.ok(await connect(program, await of('red')));
  });
});

describe('revocations', () => {
  const program = useProgram({
    shards: 2,
    env: { JWT_SECRET: kSecret, TIDEWIRE_API_ADMIN_TOKEN: kAdmin },
    toml: `[tenants]\nsource = "claim"\n[[api.keys]]\nname = "red"\nkey = "${kRedKey}"\ntenant = "red"\nroles = ["manage"]\n[[api.keys]]\nname = "nameless"\nkey = "${kRedKey}0"\ntenant = ""\nroles = ["manage", "read", "metrics"]\n`,
  });
  const of = async (tenant, userId, more = {}) => ({ token: await token({ userId, tenant, iat: Math.floor(Date.now() / 1000) - 10, ...more }) });

  it('are of the tenant of the key, or of all of them by the administrator', async () => {
    const revoke = async (what, { key, body, query = '' }) => (await api(program, 'POST', `/api/v1/${what}${query}`, { key, body })).status;
    const [red, blue] = [await connect(program, await of('red', 'ada')), await connect(program, await of('blue', 'ada'))];
    assert.equal(await revoke('users/ada/revoke', { key: kRedKey }), 200);
    assert.equal((await red.ended).code, 4001);
    assert.equal((await refusal(program, await of('red', 'ada'))).data.code, 'token_revoked');
    assert.equal(await revoke('users/ada/revoke', { key: kRedKey, query: '?tenant=blue' }), 403);
    assert.equal(await revoke('users/ada/revoke', { key: `${kRedKey}0` }), 200);
    assert.deepEqual(await blue.ask('echo', 1), 1);
    assert.equal(await revoke('tokens/revoke', { key: kRedKey, body: { token_id: 't1' } }), 200);
    assert.ok(await connect(program, await of('blue', 'bob', { jti: 't1' })));
    assert.equal((await refusal(program, await of('red', 'bob', { jti: 't1' }))).data.code, 'token_revoked');
    assert.equal(await revoke('users/ada/revoke', { key: kAdmin, query: '?tenant=green' }), 200);
    assert.deepEqual(await blue.ask('echo', 1), 1);
    assert.equal(await revoke('users/ada/revoke', { key: kAdmin }), 200);
    assert.equal((await blue.ended).code, 4001);
    // Somebody of no tenant is not the administrator of all.
    for (const path of ['/metrics', '/api/contracts']) assert.equal((await fetch(program.url + path, { headers: { authorization: `Bearer ${kRedKey}0` } })).status, 403, path);
  });

  it('reach the tokens of the second in which they come', async () => {
    const now = { iat: Math.floor(Date.now() / 1000) };
    const socket = await connect(program, await of('red', 'eve', now));
    assert.equal((await api(program, 'POST', '/api/v1/users/eve/revoke', { key: kAdmin })).status, 200);
    assert.equal((await socket.ended).code, 4001);
    assert.equal((await refusal(program, await of('red', 'eve', now))).data.code, 'token_revoked');
    assert.ok(await connect(program, await of('red', 'eve', { iat: now.iat + 2 })));
  });

  it('answer for ids that nobody can have', async () => {
    const answer = await api(program, 'POST', `/api/v1/users/${'u'.repeat(129)}/revoke`, { key: kAdmin });
    assert.equal(answer.status, 400, JSON.stringify(answer.body));
  });
});

describe('tenants by host name', () => {
  const program = useProgram({
    shards: 2,
    env: { JWT_SECRET: kSecret },
    toml: `[tenants]\nsource = "host"\nhosts = { "red.example" = "red", "blue.example" = "blue" }\n${kEvents}`,
  });
  const at = (host, more = {}) => ({ extraHeaders: { Host: host }, ...more });

  it('are where the request came in', async () => {
    const [red, blue] = [await connect(program, at('red.example')), await connect(program, at('blue.example:4000'))];
    const redPlain = await plain(program, { headers: { Host: 'red.example' } });
    await red.ask('tell', { room: 'global', n: 1 });
    assert.equal((await redPlain.next(5000)).n, 1);
    assert.equal((await red.next(5000))[1].n, 1);
    await nothingReaches(blue, blue);
  });

  it('refuse hosts that are nobody\'s, and tokens of another tenant', async () => {
    assert.equal((await refusal(program, at('green.example'))).data.code, 'unknown_host');
    assert.equal((await plainRefusal(program, { headers: { Host: 'green.example' } })).error.code, 'unknown_host');
    const shown = await token({ userId: 'ada', tenant: 'blue' });
    assert.equal((await refusal(program, at('red.example', { token: shown }))).data.code, 'wrong_tenant');
    assert.ok(await connect(program, at('blue.example', { token: shown })));
  });

  it('are the same in any case of letters', async () => {
    assert.ok(await connect(program, at('RED.Example.:4000')));
  });

  it('do not change by a newer token', async () => {
    const red = await connect(program, at('red.example', { token: await token({ userId: 'ada' }) }));
    const peer = await plain(program, { headers: { Host: 'red.example' }, token: await token({ userId: 'ada', tenant: 'red' }) });
    for (const client of [red, peer]) {
      const renew = async (claims) => client.ask('auth_refresh', { token: await token({ userId: 'ada', ...claims }) });
      assert.equal((await renew({ tenant: 'blue', role: 'admin' })).error.code, 'token_of_another_user');
      assert.equal((await renew({ tenant: 'red' })).ok, true);
      assert.equal((await renew({})).ok, true, 'a token that names no tenant is at home where its socket is');
      assert.equal((await client.ask('join', { room: 'admin' })).error.code, 'forbidden');
    }
  });

  it('are those of the HTTP API, too', async () => {
    const shown = await token({ userId: 'rita' });
    const red = await connect(program, at('red.example', { token: shown }));
    const health = (host) => requestAt(program, host, '/api/v1/websocket/connection-health', shown);
    assert.equal((await health('red.example')).body.status, 'connected');
    assert.equal((await health('blue.example')).body.status, 'offline');
    assert.equal((await health('green.example')).status, 401);
    // An administrator's token is one of the tenant at whose host it comes.
    const admin = await token({ userId: 'root', role: 'admin' });
    const connections = async (host) => (await requestAt(program, host, '/api/v1/connections', admin)).body.connections.map((each) => each.id);
    assert.ok((await connections('red.example')).includes(red.id));
    assert.ok(!(await connections('blue.example')).includes(red.id));
    assert.equal((await requestAt(program, 'blue.example', '/api/v1/connections?tenant=red', admin)).status, 403);
  });
});

describe('an issuer of one tenant', () => {
  const other = 'k0Aq-4vTm_8Lw3xRb9NcYf6HjD2sPg1eUaQo7';
  const program = useProgram({
    env: { JWT_SECRET: kSecret },
    toml: `[tenants]\nsource = "host"\nhosts = { "red.example" = "red", "blue.example" = "blue" }\n[[auth.issuers]]\nissuer = "blue-login"\nsecret = "${other}"\ntenant = "blue"\n`,
  });
  const at = (host, more = {}) => ({ extraHeaders: { Host: host }, ...more });

  it('lets its users in nowhere else, whatever their tokens say', async () => {
    const from = (claims) => token({ iss: 'blue-login', userId: 'ada', ...claims }, { secret: other });
    assert.ok(await connect(program, at('blue.example', { token: await from({}) })));
    assert.ok(await connect(program, at('blue.example', { token: await from({ tenant: 'blue' }) })));
    for (const [host, claims] of [['red.example', {}], ['red.example', { tenant: 'red' }], ['blue.example', { tenant: 'red' }]]) {
      assert.equal((await refusal(program, at(host, { token: await from(claims) }))).data.code, 'wrong_tenant', host);
    }
    const red = await connect(program, at('blue.example', { token: await token({ userId: 'ada' }) }));
    assert.equal((await red.ask('auth_refresh', { token: await from({}) })).error.code, 'token_of_another_user', 'another issuer\'s ada is another');
  });
});
