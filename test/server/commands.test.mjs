// test/server/commands.test.mjs - the program as an operator meets it: its commands, the variables of the mission, SIGHUP, the HTTP
// API of a configured server, revocation.
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { command, connect, eventually, file, kMark, kSecret, nothingReaches, pause, plain, Program, refusal, remember, token, useProgram } from './harness.mjs';
import { RawTcp } from '../e2e/wire.mjs';

const kAdmin = 'adm_1f6c0b8e7d5a4932a1b0c9d8e7f60514';
const call = (program, method, path, { key = kAdmin, body, url = program.url } = {}) => fetch(url + path, {
  method,
  headers: { ...(key ? { authorization: `Bearer ${key}` } : {}), ...(body ? { 'content-type': 'application/json' } : {}) },
  body: body && JSON.stringify(body),
});

describe('tidewire', () => {
  it('says what is wrong with a file, line by line, and does not start with it', async () => {
    const config = file('wrong.toml', '[server]\nprot = 1\nshards = 300\n[log]\nlevel = "chatty"\n[[rooms]]\npattern = "a"\njoin = "everyone"\n');
    const { code, stdout } = await command(['check', '--config', config]);
    assert.equal(code, 1);
    for (const line of [/wrong\.toml:2: .*"prot".*"port"/, /wrong\.toml:3: .*300/, /wrong\.toml:5: .*chatty/, /wrong\.toml:8: .*"everyone" is no right/]) {
      assert.match(stdout, line);
    }
    const served = await command(['serve', '--config', config]);
    assert.equal(served.code, 1);
    assert.match(served.stderr, /does not start/);
    assert.equal((await command(['check', '--config', file('right.toml', '[server]\nport = 1\n')])).code, 0);
  });

  it('shows what is in force and who said it, without a secret', async () => {
    const { stdout } = await command(['config', '--port', '81'], { env: { JWT_SECRET: kSecret, TIDEWIRE_LOG_LEVEL: 'warn' } });
    assert.match(stdout, /port = 81 +# --port/);
    assert.match(stdout, /level = "warn" +# TIDEWIRE_LOG_LEVEL/);
    assert.ok(!stdout.includes(kSecret));
    assert.match((await command(['version'])).stdout, /^tidewire \d+\.\d+\.\d+$/m);
  });

  it('makes tokens, and says what it thinks of them', async () => {
    const env = { JWT_SECRET: kSecret };
    const made = await command(['token', '--user', 'ada', '--role', 'editor', '--project', 'apollo', '--claim', 'level=3', '--expires', '8h'], { env });
    assert.equal(made.code, 0);
    const text = remember(made.stdout.trim());
    const checked = await command(['token', '--check', '-'], { env, input: `${text}\n` });
    assert.equal(checked.code, 0);
    for (const line of [/^good$/m, /^user +ada$/m, /^role +editor$/m, /^project +apollo$/m]) assert.match(checked.stdout, line);
    const refused = await command(['token', '--check', text], { env: { JWT_SECRET: `${kSecret}x` } });
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /token_invalid/);
    assert.equal((await command(['token', '--user', 'ada'])).code, 1);
    const program = await new Program({ env }).start();
    const socket = await connect(program, { token: text });
    assert.deepEqual(await socket.ask('join-project', 'apollo'), { ok: true, projectId: 'apollo' });
    socket.disconnect();
    await program.stop();
  });

  it('refuses in production what it only warns of in development', async () => {
    const insecure = { JWT_SECRET: 'short', TIDEWIRE_AUTH_REQUIRE_EXP: 'false' };
    const development = await command(['check'], { env: insecure });
    assert.equal(development.code, 0);
    assert.match(development.stdout, /warning: .*at least 32/);
    const production = await command(['check'], { env: { ...insecure, TIDEWIRE_ENV: 'production' } });
    assert.equal(production.code, 1);
    for (const line of [/error: .*at least 32/, /error: .*require_exp/, /error: .*admin_token/]) assert.match(production.stdout, line);
    const good = { TIDEWIRE_ENV: 'production', JWT_SECRET: kSecret, TIDEWIRE_API_ADMIN_TOKEN: kAdmin, TIDEWIRE_CORS_ORIGINS: 'https://app.example', TIDEWIRE_AUTH_ANONYMOUS: 'false' };
    const fine = await command(['check'], { env: good });
    assert.equal(fine.code, 0, fine.stdout);
  });
});

describe('the variables of the mission', () => {
  it('have the effect that their names promise', async () => {
    const program = await new Program({ env: {
      SOCKET_IO_TRANSPORTS: 'websocket', SOCKET_IO_HEARTBEAT_INTERVAL: '7000', SOCKET_IO_HEARTBEAT_TIMEOUT: '9000',
      SOCKET_IO_CORS_ORIGIN: 'http://localhost:3001', SOCKET_IO_CONNECTION_LIMIT: '3', JWT_SECRET: kSecret,
    } }).start();
    const polling = await fetch(`${program.url}/socket.io/?EIO=4&transport=polling`, { headers: { connection: 'close' } });
    assert.equal((await polling.json()).code, 0);
    const origin = (name) => ({ extraHeaders: { Origin: name } });
    assert.ok(await refusal(program, origin('http://evil.example')));
    const socket = await connect(program, { ...origin('http://localhost:3001'), token: await token({ userId: 'ada' }) });
    assert.equal(socket.io.engine.transport.name, 'websocket');
    assert.deepEqual([socket.io.engine._pingInterval ?? socket.io.engine.pingInterval, socket.io.engine._pingTimeout ?? socket.io.engine.pingTimeout], [7000, 9000]);
    const others = await Promise.allSettled([1, 2, 3, 4].map(() => connect(program)));
    assert.equal(others.filter((each) => each.status === 'fulfilled').length, 2);
    for (const each of others) if (each.status === 'fulfilled') each.value.disconnect();
    socket.disconnect();
    await program.stop();
    assert.equal((await command(['check'], { env: { SOCKET_IO_MAX_LISTENERS: '3' } })).code, 1);  // the defaults have more names
    const off = await new Program({ env: { SOCKET_IO_ENABLED: 'false' } }).start();
    assert.equal((await fetch(`${off.url}/socket.io/?EIO=4&transport=polling`)).status, 404);
    await off.stop();
  });
});

describe('SIGHUP', () => {
  it('takes new secrets and levels, keeps who is connected, and names what needs a restart', async () => {
    const other = `${kSecret}-the-next-one`;
    const toml = (secret, level, ping) => `[auth]\nsecret = "${secret}"\n[log]\nlevel = "${level}"\n[socketio]\nping_interval = "${ping}s"\n`;
    const program = await new Program({ toml: toml(kSecret, 'info', 25) }).start();
    const socket = await connect(program, { token: await token({ userId: 'ada' }) });
    program.rewrite(toml(other, 'debug', 30));
    program.hangUp();
    assert.match(await program.line(/configuration reloaded/), /auth\.secret.*log\.level.*socketio\.ping_interval/);
    assert.deepEqual(await socket.ask('echo', 1), 1);
    assert.equal((await refusal(program, { token: await token({ userId: 'ada' }) })).data.code, 'token_invalid');
    const next = await connect(program, { token: await token({ userId: 'ada' }, { secret: other }) });
    program.rewrite('[server]\nprot = 1\n');
    program.hangUp();
    assert.match(await program.line(/not reloaded/), /prot/);
    assert.ok((await connect(program, { token: await token({ userId: 'bob' }, { secret: other }) })).connected);
    for (const each of [socket, next]) assert.deepEqual(await each.ask('echo', 2), 2);
    await program.stop();
  });

  it('refuses what fits only together with what waits for a restart', async () => {
    const program = await new Program({ toml: `[auth]\nsecret = "${kSecret}"\nanonymous = false\n` }).start();
    program.rewrite('[auth]\nanonymous = true\n');  // anonymous waits, the secret would not
    program.hangUp();
    assert.match(await program.line(/not reloaded/), /auth\.anonymous.*nobody could come in/);
    assert.ok((await connect(program, { token: await token({ userId: 'ada' }) })).connected);
    await program.stop();
  });

  it('takes other events, rooms and keys at once, on every shard, and keeps who is in a room', async () => {
    const key = (letter) => letter.repeat(40);
    const toml = ({ events = '', rooms = '', letter = 'a', undeclared = 'refuse' }) => `
[api]
admin_token = "${key(letter)}"
[contracts]
undeclared = "${undeclared}"
[[events]]
name = "old"
to = "*"
rate = "2/h"
${events}
${rooms}`;
    const program = await new Program({ shards: 2, toml: toml({ rooms: '[[rooms]]\npattern = "lounge:1"\njoin = "public"\n' }) }).start();
    // Several, so that both shards have some.
    const clients = [...(await Promise.all([1, 2, 3, 4].map(() => connect(program)))), await plain(program)];
    for (const each of clients) {
      assert.equal((await each.ask('join', { room: 'lounge:1' })).ok, true);
      assert.equal((await each.ask('fresh', 1)).error.code, 'unknown_event');
      assert.equal((await each.ask('old', 1)).ok, true);
    }
    program.rewrite(toml({
      events: '[[events]]\nname = "fresh"\naliases = ["brand-new"]\nto = "lounge:1"\n',
      rooms: '[[rooms]]\npattern = "terrace:1"\njoin = "public"\n', letter: 'b' }));
    program.hangUp();
    assert.match(await program.line(/configuration reloaded/), /api\.admin_token, rooms, events changed/);
    for (const each of clients) {
      assert.equal((await each.ask('fresh', 1)).ok, true, 'a new contract');
      assert.equal((await each.ask('brand-new', 1)).ok, true, 'its alias');
      assert.equal((await each.ask('join', { room: 'lounge:1' })).error.code, 'forbidden', 'a rule that is gone');
      assert.equal((await each.ask('join', { room: 'terrace:1' })).ok, true, 'a new rule');
      assert.equal((await each.ask('old', 1)).ok, true);
      assert.equal((await each.ask('old', 1)).error.code, 'rate_limited', 'what was used up stays used up');
    }
    const members = async (letter) => call(program, 'GET', '/api/v1/rooms/lounge:1', { key: key(letter) });
    assert.equal((await members('a')).status, 401);
    assert.equal((await (await members('b')).json()).room.members, clients.length, 'whoever was in the room is in it still');
    const listed = await (await call(program, 'GET', '/api/contracts', { key: key('b') })).json();
    assert.ok((listed.contracts ?? listed).events.some((each) => each.name === 'fresh'));

    program.rewrite(toml({ events: '[[events]]\nname = "broken"\nto = "{"\n', letter: 'c' }));
    program.hangUp();
    assert.match(await program.line(/not reloaded/), /:\d+/);
    assert.equal((await clients[0].ask('fresh', 1)).ok, true, 'a mistake changes nothing');
    assert.equal((await members('b')).status, 200);

    program.rewrite(toml({ undeclared: 'relay', letter: 'b' }));
    program.hangUp();
    await program.line(/configuration reloaded/);
    for (const each of clients) assert.equal((await each.ask('fresh', 1)).ok, true, 'relayed');
    await program.stop();
  });
});

describe('the HTTP API of the program', () => {
  const program = useProgram({ toml: '[log]\nformat = "json"\n[auth]\nrequire_exp = false\n' });
  const get = async (path) => (await fetch(program.url + path)).json();

  it('says how each part is', async () => {
    const health = await get('/api/health/detailed');
    assert.equal(health.status, 'healthy');
    assert.deepEqual(Object.entries(health.components).map(([name, { status }]) => `${name} ${status}`), ['websocket healthy', 'socketio healthy', 'memory healthy', 'hooks healthy']);
    assert.ok((await get('/healthz')).insecure.some((each) => each.includes('auth.require_exp')));
  });

  it('has a line in the log for what somebody does, with how long it took', async () => {
    const post = (path, body) => fetch(program.url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    const socket = await connect(program);
    assert.equal((await (await post('/api/v1/announcements', { message: 'what nobody else reads' })).json()).connections, 1);
    const announced = JSON.parse(await program.line(/System announcement delivered/));
    assert.equal(announced.connections, '1');
    const line = JSON.parse(await program.line(/"api request"/));
    assert.deepEqual([line.method, line.path, line.status], ['POST', '/api/v1/announcements', '200']);
    assert.ok(Number(line.ms) >= 0);
    await post('/api/v1/publish', { event: 7 });
    assert.deepEqual(((each) => [each.status, each.code])(JSON.parse(await program.line(/api request refused/))), ['400', 'invalid_body']);
    assert.ok(!program.output.includes('what nobody else reads'));
    socket.disconnect();
  });

  it('says in its first lines what it is', async () => {
    const lines = program.output.split('\n').filter((each) => each.startsWith('{')).map((each) => JSON.parse(each));
    for (const message of ['WebSocket service initialized', 'Default rooms created (global, authenticated, admin)']) {
      assert.ok(lines.some((each) => Object.values(each).includes(message)), message);
    }
    assert.ok(lines.some((each) => each.level === 'warn' && JSON.stringify(each).includes('auth.require_exp')), 'and what is insecure');
  });
});

describe('a configured server', () => {
  const program = useProgram({ shards: 2, env: { JWT_SECRET: kSecret, TIDEWIRE_API_ADMIN_TOKEN: kAdmin }, toml: kMark });

  it('publishes to a project from any back end', async () => {
    const options = { token: await token({ userId: 'ada', projects: ['apollo'] }) };
    const [socket, peer] = [await connect(program, options), await plain(program, options)];
    for (const client of [socket, peer]) assert.equal((await client.ask('join-project', client === peer ? { projectId: 'apollo' } : 'apollo')).ok, true);
    const answer = await call(program, 'POST', '/api/v1/publish', { body: { event: 'update', data: { build: 7 }, room: 'project:apollo' } });
    assert.equal(answer.status, 200);
    assert.deepEqual(await socket.next(5000), ['update', { build: 7 }]);
    assert.deepEqual(await peer.next(5000), { type: 'update', build: 7 });
    assert.equal((await call(program, 'POST', '/api/v1/publish', { key: null, body: { event: 'update', all: true } })).status, 401);
    assert.equal((await call(program, 'POST', '/api/v1/publish', { key: await token({ userId: 'ada' }), body: { event: 'update', all: true } })).status, 403);
  });

  it('shows its contracts', async () => {
    const { events, rooms } = await (await call(program, 'GET', '/api/contracts')).json().then((body) => body.contracts ?? body);
    assert.ok(events.some((each) => each.name === 'mark' && /:\d+$/.test(each.declared_at)));
    assert.ok(rooms.some((each) => each.pattern === 'project:{id}' && each.join === 'role:admin, claim:projects'));
  });

  it('closes the sockets of a revoked user or token at once, and takes neither again', async () => {
    const shown = await token({ userId: 'eve', iat: Math.floor(Date.now() / 1000) - 10 });
    const one = await token({ userId: 'mallory', jti: 'm1' });
    const [socket, peer, other, kept] = [await connect(program, { token: shown }), await plain(program, { token: shown }),
      await connect(program, { token: one }), await connect(program, { token: await token({ userId: 'mallory', jti: 'm2' }) })];
    assert.equal((await call(program, 'POST', '/api/v1/users/eve/revoke')).status, 200);
    assert.equal((await call(program, 'POST', '/api/v1/tokens/revoke', { body: { token_id: 'm1' } })).status, 200);
    assert.equal((await socket.ended).code, 4001);
    assert.equal((await peer.ended).code, 4001);
    assert.equal((await other.ended).code, 4001);
    assert.equal((await refusal(program, { token: shown })).data.code, 'token_revoked');
    assert.equal((await refusal(program, { token: one })).data.code, 'token_revoked');
    assert.deepEqual(await kept.ask('echo', 1), 1);
  });

  it('renews the token of a live socket for a back end', async () => {
    const socket = await connect(program, { token: await token({ userId: 'ada' }, { exp: 60 }) });
    const fresh = await token({ userId: 'ada' }, { exp: 900 });
    const good = await call(program, 'POST', '/api/v1/tokens/refresh', { body: { socket: socket.id, token: fresh } });
    assert.equal(good.status, 200, await good.text());
    const wrong = await call(program, 'POST', '/api/v1/tokens/refresh', { body: { socket: socket.id, token: await token({ userId: 'bob' }) } });
    assert.ok(wrong.status >= 400 && wrong.status < 500);
    assert.equal((await call(program, 'POST', '/api/v1/tokens/refresh', { body: { socket: 'AAAAAAAAAAAAAAAAAAAA', token: fresh } })).status, 404);
    await nothingReaches(socket, socket);
  });
});

describe('namespaces of a pattern', () => {
  const program = useProgram({ shards: 2, env: { JWT_SECRET: kSecret }, toml: '[[namespaces]]\npattern = "/org-[a-z]+"\n[[namespaces]]\nname = "/org-open"\n[[events]]\nname = "greet"\nnamespace = "/org-open"\nto = "*"\n' });
  const ask = async (method, path, body) => {
    const response = await fetch(program.url + path, { method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
    return { status: response.status, body: await response.json() };
  };

  it('are within reach of the HTTP API', async () => {
    const shown = await token({ userId: 'ada' });
    const socket = await connect(program, { namespace: '/org-red', token: shown });
    assert.equal((await ask('POST', '/api/v1/publish', { event: 'news', data: 7, all: true, namespace: '/org-red' })).status, 200);
    assert.deepEqual(await socket.next(5000), ['news', 7]);
    assert.equal((await ask('POST', '/api/v1/publish', { event: 'news', all: true, namespace: '/org-blue' })).status, 200, 'where nobody is');
    assert.equal((await ask('POST', '/api/v1/publish', { event: 'news', all: true, namespace: '/other' })).body.error.code, 'unknown_namespace');
    assert.deepEqual((await ask('GET', '/api/v1/connections?namespace=/org-red')).body.connections.map((each) => each.id), [socket.id]);
    assert.deepEqual((await ask('GET', '/api/v1/connections?namespace=/org-blue')).body.connections, []);
    // Nobody there is nobody anywhere else.
    const root = await connect(program, { token: await token({ userId: 'eve' }) });
    await root.ask('join', { room: 'lobby' });
    for (const namespace of ['/org-blue', 'org-blue']) {
      assert.equal((await ask('POST', '/api/v1/publish', { event: 'news', room: 'lobby', namespace })).status, 200);
      assert.deepEqual((await ask('GET', `/api/v1/rooms?namespace=${namespace}`)).body.rooms, [], namespace);
      assert.deepEqual((await ask('GET', `/api/v1/presence?namespace=${namespace}`)).body.users, [], namespace);
      assert.equal((await ask('DELETE', `/api/v1/connections/${root.id}?namespace=${namespace}`)).status, 404, namespace);
      assert.equal((await ask('POST', `/api/v1/tokens/refresh?namespace=${namespace}`, { socket: root.id, token: shown })).status, 404, namespace);
    }
    assert.deepEqual(await root.ask('echo', 1), 1);
    await assert.rejects(root.next(100), 'nothing was for it');
    assert.deepEqual((await ask('GET', '/api/v1/connections?namespace=org-red')).body.connections.map((each) => each.id), [socket.id]);
    root.disconnect();
    assert.ok(await eventually(async () => (await ask('GET', '/api/v1/users/eve')).body.devices === 0));
    const listed = (await ask('GET', '/api/v1/namespaces')).body.namespaces.map((each) => `${each.name} ${each.connections}`);
    assert.deepEqual(listed.sort(), ['/ 0', '/org-open 0', '/org-red 1']);
    assert.equal((await ask('GET', '/api/v1/users/ada')).body.devices, 1);
    assert.equal((await ask('POST', '/api/v1/users/ada/disconnect')).body.disconnected, 1);
    await socket.ended;
  });

  it('have no share in those that are declared by name', async () => {
    const socket = await connect(program, { namespace: '/org-open' });
    assert.deepEqual(await socket.ask('greet', 1), { ok: true });
    assert.deepEqual(await socket.next(5000), ['greet', 1]);
    assert.equal((await socket.ask('auth_refresh', 'x')).error.code, 'token_malformed');
    await assert.rejects(socket.next(200), 'nothing is done twice');
  });
});

describe('server.admin_listen', () => {
  it('moves what is for back ends to another address, and leaves the rest', async () => {
    const program = await new Program({
      env: { JWT_SECRET: kSecret, TIDEWIRE_API_ADMIN_TOKEN: kAdmin, TIDEWIRE_SERVER_ADMIN_LISTEN: '127.0.0.1:0' },
    }).start();
    const { port } = /"port":"(?<port>\d+)"/.exec(await program.line(/administration listens apart/)).groups;
    const url = `http://127.0.0.1:${port}`;
    const socket = await connect(program);
    const body = { event: 'news', room: 'global', data: 1 };
    assert.equal((await call(program, 'POST', '/api/v1/publish', { body })).status, 404);
    assert.equal((await call(program, 'GET', '/metrics')).status, 404);
    assert.equal((await call(program, 'GET', '/healthz')).status, 200);
    assert.equal((await call(program, 'POST', '/api/v1/publish', { url, body })).status, 200);
    assert.deepEqual(await socket.next(5000), ['news', 1]);
    assert.match(await (await call(program, 'GET', '/metrics', { url })).text(), /^tidewire_sockets 1$/m);
    socket.disconnect();
    assert.ok(await eventually(async () => /^tidewire_sockets 0$/m.test(await (await call(program, 'GET', '/metrics', { url })).text())));
    await program.stop();
  });
});

describe('SIGTERM', () => {
  // The shard without connections stops at once, the other one serves its client for two seconds more.
  for (const path of ['/health', '/api/health/detailed', '/metrics']) {
    it(`ends the program in order while ${path} asks a shard that has stopped`, async () => {
      const program = await new Program({ shards: 2, env: { JWT_SECRET: kSecret } }).start();
      const stream = await RawTcp.connect(program.port);
      const ask = (what) => stream.write(`GET ${what} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      await ask('/healthz');
      assert.equal((await stream.response()).status, 200);
      program.process.kill('SIGTERM');
      await pause(500);
      const asked = Date.now();
      await ask(path);
      assert.equal((await stream.response()).status, 500, 'nobody knows the figures of the other shard');
      assert.ok(Date.now() - asked < 1_500, 'before the shard stops too');
      await ask(path);
      await program.stop();
      stream.destroy();
    });
  }
});
