// test/server/tenants.test.mjs - two tenants on one server: nothing of the one is seen, reached or counted by the other.
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { connect, kMark, kSecret, nothingReaches, plain, plainRefusal, refusal, token, useProgram } from './harness.mjs';

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
});
