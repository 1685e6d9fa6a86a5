// test/server/contracts.test.mjs - what a client may send is declared: every key of a contract, for both dialects, over two shards.
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { command, connect, eventually, file, kMark, kSecret, nothingReaches, pause, plain, token, useProgram } from './harness.mjs';

const kContracts = `
[[namespaces]]
name = "/orders"

[[events]]
name = "for-all"
aliases = ["forAll", "for_all"]
to = "*"
emit = "told"

[[events]]
name = "members-only"
from = "authenticated"
reply = { user = "{sender.id}" }

[[events]]
name = "admins-only"
from = "role:admin"

[[events]]
name = "server-only"
from = "nobody"

[[events]]
name = "order"
schema = { type = "object", required = ["id", "lines"], properties = { id = { type = "integer", minimum = 1 }, lines = { type = "array", maxItems = 2, items = { type = "string" } } }, additionalProperties = false }
reply = { id = "{id}" }

[[events]]
name = "slow"
rate = "2/min"

[[events]]
name = "note"
to = "{room}"
emit = "noted"
stamp = { userId = "{sender.id}", userName = "{sender.name}", at = "{time}", kind = "note" }

[[events]]
name = "aside"
to = "{room}"
member_of = ""
others = true

[[events]]
name = "chat"
to = "den:{id}:chat"

[[events]]
name = "two-rooms"
to = ["{a}", "{b}"]
member_of = ""
emit = "both"

[[events]]
name = "mirror"
to = "sender"
emit = "mirrored"

[[events]]
name = "team"
to_rooms = "team:{id}"
others = true

[[events]]
name = "blob"
schema = { type = "bytes", maxLength = 4 }
to = "sender"

[[events]]
name = "order-placed"
namespace = "/orders"
to = "*"

[[events]]
name = "flicker"
to = "*"
volatile = true

[[rooms]]
pattern = "team:{id}"
join = "public"
`;

const refused = (answer, code) => {
  assert.equal(answer.ok, false, JSON.stringify(answer));
  assert.equal(answer.error.code, code);
  assert.ok(answer.error.message.length > 0);
  return answer.error;
};

describe('default contracts', () => {
  const program = useProgram({ env: { JWT_SECRET: kSecret } });

  it('know the events of the mission', async () => {
    const ada = await connect(program, { token: await token({ userId: 'ada', name: 'Ada', email: 'ada@example.org', projects: ['p1'] }) });
    const bob = await plain(program, { token: await token({ userId: 'bob', projects: ['p1'] }) });
    assert.deepEqual(await ada.ask('registerSession', 's-1'), { ok: true, sessionId: 's-1' });
    assert.deepEqual(await bob.ask('registerSession', { sessionId: 's-2' }), { ok: true, sessionId: 's-2' });
    for (const client of [ada, bob]) await client.ask('join-project', { projectId: 'p1' });
    assert.equal((await ada.ask('test-run-started', { testRunId: 'r1', projectId: 'p1' })).ok, true);
    const started = await bob.next(5000);
    assert.deepEqual([started.type, started.testRunId, started.status, started.userName], ['test-execution-update', 'r1', 'running', 'Ada']);
    assert.equal((await ada.ask('test-run-started', { testRunId: 'r1', projectId: 'p2' })).error.code, 'not_a_member');
    await ada.ask('test-case-editing', { testCaseId: 't1', field: 'title', value: 'x' });
    const edited = await bob.next(5000);
    assert.deepEqual([edited.type, edited.userEmail, edited.field], ['test-case-update', 'ada@example.org', 'title']);
    await ada.ask('typing-start', {});
    assert.deepEqual(((each) => [each.type, each.typing])(await bob.next(5000)), ['user-typing', true]);
    assert.deepEqual(await ada.ask('leave-project', 'p1'), { ok: true, projectId: 'p1' });
  });
});

describe('the rates of a sender', () => {
  const limits = async (client, count) => {
    const found = [];
    for (let i = 0; i < count; ++i) {
      const answer = await client.ask(i % 2 === 0 ? 'leave' : 'made-up', { room: 'x' });
      found.push(answer.error?.code === 'rate_limited' ? answer.error.details.limit : 'in time');
    }
    return found;
  };
  for (const kind of ['connection', 'user', 'address']) {
    describe(`by ${kind}`, () => {
      const rates = { connection: '', user: '', address: '', [kind]: '4/h' };
      const program = useProgram({ env: { JWT_SECRET: kSecret }, toml: `[rates]\n${Object.entries(rates).map(([key, rate]) => `${key} = "${rate}"\n`).join('')}` });

      it('count events of any name, and who goes on is closed with 4029', async () => {
        const options = { token: await token({ userId: 'ada' }) };
        const first = await plain(program, options);
        assert.deepEqual(await limits(first, 6), ['in time', 'in time', 'in time', 'in time', kind, kind]);
        // Another connection of the same user from the same place.
        const second = await connect(program, options);
        assert.equal((await limits(second, 1))[0], kind === 'connection' ? 'in time' : kind);
        for (let i = 0; i < 100; ++i) first.send('made-up');
        assert.equal((await first.ended).code, 4029);
        const other = await plain(program, { token: await token({ userId: 'bob' }) });
        assert.equal((await limits(other, 1))[0], kind === 'address' ? 'address' : 'in time');
      });
    });
  }
});

describe('contracts', () => {
  const program = useProgram({ shards: 2, env: { JWT_SECRET: kSecret }, toml: `[log]\nlines_per_second = 1000\n${kContracts}${kMark}` });
  const both = async (options) => [await connect(program, options), await plain(program, options)];

  it('are heard under each of their names, and reach everybody under one', async () => {
    const [socket, peer] = await both();
    for (const name of ['for-all', 'forAll', 'for_all']) {
      assert.deepEqual(await socket.ask(name, { n: name }), { ok: true });
      assert.deepEqual(await socket.next(5000), ['told', { n: name }]);
      assert.deepEqual(await peer.next(5000), { type: 'told', n: name });
    }
  });

  it('say who may send: with a token, with a role, or only the server', async () => {
    const [nobody, nobodyPlain] = await both();
    const [ada, adaPlain] = await both({ token: await token({ userId: 'ada', roles: ['admin'] }) });
    const bob = await connect(program, { token: await token({ userId: 'bob' }) });
    for (const client of [nobody, nobodyPlain]) {
      refused(await client.ask('members-only'), 'unauthorized');
      refused(await client.ask('admins-only'), 'unauthorized');
      refused(await client.ask('server-only'), 'forbidden');
    }
    for (const client of [ada, adaPlain]) {
      assert.deepEqual(await client.ask('members-only'), { ok: true, user: 'ada' });
      assert.deepEqual(await client.ask('admins-only'), { ok: true });
      refused(await client.ask('server-only'), 'forbidden');
    }
    refused(await bob.ask('admins-only'), 'forbidden');
  });

  it('have a schema: what breaks it is told with its place', async () => {
    const [socket, peer] = await both();
    assert.deepEqual(await socket.ask('order', { id: 7, lines: ['tea'] }), { ok: true, id: 7 });
    assert.deepEqual(await peer.ask('order', { data: { id: 8, lines: [] } }), { ok: true, id: 8 });
    for (const [payload, pointer, keyword] of [
      [{ id: 0, lines: [] }, '/id', 'minimum'], [{ id: 1.5, lines: [] }, '/id', 'type'], [{ id: 1 }, '', 'required'],
      [{ id: 1, lines: ['a', 2] }, '/lines/1', 'type'], [{ id: 1, lines: ['a', 'b', 'c'] }, '/lines', 'maxItems'],
      [{ id: 1, lines: [], more: 1 }, '/more', 'additionalProperties'], ['text', '', 'type'], [undefined, '', 'type'],
    ]) {
      const { details } = refused(await socket.ask('order', ...(payload === undefined ? [] : [payload])), 'invalid_payload');
      assert.equal(details.keyword, keyword, JSON.stringify(payload));
      if (pointer !== '/more') assert.equal(details.pointer, pointer, JSON.stringify(payload));
    }
    refused(await peer.ask('order', { data: { id: 'x', lines: [] } }), 'invalid_payload');
    refused(await socket.ask('order', { id: 1, lines: [] }, { hidden: 'behind it' }), 'invalid_payload');
    refused(await socket.ask('chat', { id: 'apollo' }), 'not_a_member');
  });

  it('have a rate: refusals say when to come again, and who goes on is closed with 4029', async () => {
    const [socket, peer] = await both();
    for (const client of [socket, peer]) {
      assert.deepEqual(await client.ask('slow'), { ok: true });
      assert.deepEqual(await client.ask('slow'), { ok: true });
      const { details } = refused(await client.ask('slow'), 'rate_limited');
      assert.ok(details.retryAfterMs > 0 && details.retryAfterMs <= 60_000, details.retryAfterMs);
    }
    for (let i = 0; i < 60; ++i) peer.send('slow');
    assert.equal((await peer.ended).code, 4029);
    assert.deepEqual(await socket.ask('for-all', 1), { ok: true });  // the neighbour notices nothing
  });

  it('count a rate by user, whatever the connection', async () => {
    const shown = await token({ userId: 'rita' });
    const sockets = await Promise.all([1, 2, 3, 4, 5, 6].map(() => connect(program, { token: shown })));
    const answers = await Promise.all(sockets.map((socket) => socket.ask('slow')));
    const good = answers.filter((answer) => answer.ok).length;
    assert.ok(good >= 2 && good <= 4, `${good}`);  // two for each shard
  });

  it('go to a room whose member the sender must be', async () => {
    const [socket, peer] = await both({ token: await token({ userId: 'ada', name: 'Ada' }) });
    const stranger = await connect(program);
    assert.equal(refused(await socket.ask('note', { room: 'den', text: 'hi' }), 'not_a_member').details.room, 'den');
    for (const client of [socket, peer]) assert.deepEqual(await client.ask('join', { room: 'den' }), { ok: true });
    assert.deepEqual(await socket.ask('note', { room: 'den', text: 'hi' }), { ok: true });
    const heard = await peer.next(5000);
    assert.ok(Math.abs(Date.parse(heard.at) - Date.now()) < 60_000);
    assert.deepEqual({ ...heard, at: 0 }, { type: 'noted', room: 'den', text: 'hi', userId: 'ada', userName: 'Ada', at: 0, kind: 'note' });
    assert.equal((await socket.next(5000))[0], 'noted');  // the sender is a member
    await nothingReaches(socket, stranger);
  });

  it('stamp over what the sender claims to be, also where the stamp is empty', async () => {
    const [socket, peer] = await both();
    for (const client of [socket, peer]) await client.ask('join', { room: 'forgery' });
    await socket.ask('note', { room: 'forgery', userId: 'root', userName: 'Root', kind: 'order' });
    const heard = await peer.next(5000);
    assert.deepEqual({ ...heard, at: 0 }, { type: 'noted', room: 'forgery', at: 0, kind: 'note' });
  });

  it('may let anybody send to a room, to several, to the others only, or back', async () => {
    const [socket, peer] = await both();
    await peer.ask('join', { room: 'inbox' });
    await socket.ask('join', { room: 'outbox' });
    assert.deepEqual(await socket.ask('aside', { room: 'inbox', n: 1 }), { ok: true });
    assert.deepEqual(await peer.next(5000), { type: 'aside', room: 'inbox', n: 1 });
    await peer.ask('aside', { room: 'inbox', n: 2 });
    await nothingReaches(socket, peer, socket);
    await socket.ask('two-rooms', { a: 'inbox', b: 'outbox' });
    assert.equal((await socket.next(5000))[0], 'both');
    assert.equal((await peer.next(5000)).type, 'both');
    await socket.ask('mirror', 1, 'two', { three: 3 });
    assert.deepEqual(await socket.next(5000), ['mirrored', 1, 'two', { three: 3 }]);
  });

  it('go to every room of a pattern that the sender is in, and to nobody without one', async () => {
    const [socket, peer, stranger] = [await connect(program), await plain(program), await connect(program)];
    for (const client of [socket, peer]) await client.ask('join', { room: 'team:red' });
    await stranger.ask('join', { room: 'team:blue' });
    assert.deepEqual(await socket.ask('team', { n: 1 }), { ok: true });
    assert.deepEqual(await peer.next(5000), { type: 'team', n: 1 });
    const alone = await connect(program);
    assert.deepEqual(await alone.ask('team', { n: 2 }), { ok: true });
    await nothingReaches(alone, peer, stranger, socket);
  });

  it('carry octets, and bound them', async () => {
    const [socket, peer] = await both();
    assert.deepEqual(await socket.ask('blob', Buffer.from([1, 2, 3])), { ok: true });
    assert.deepEqual([...(await socket.next(5000))[1]], [1, 2, 3]);
    assert.deepEqual(await peer.ask('blob', { data: { $bytes: 'AQID' } }), { ok: true });
    assert.deepEqual(await peer.next(5000), { type: 'blob', data: { $bytes: 'AQID' } });
    refused(await socket.ask('blob', Buffer.alloc(5)), 'invalid_payload');
    refused(await socket.ask('blob', 'text'), 'invalid_payload');
  });

  it('belong to a namespace', async () => {
    const there = await connect(program, { namespace: '/orders' });
    const here = await connect(program);
    assert.deepEqual(await there.ask('order-placed', 1), { ok: true });
    assert.deepEqual(await there.next(5000), ['order-placed', 1]);
    refused(await here.ask('order-placed', 1), 'unknown_event');
    refused(await there.ask('for-all', 1), 'unknown_event');
  });

  it('answer what no contract declares, without an acknowledgement too', async () => {
    const [socket, peer] = await both();
    refused(await socket.ask('nonsense', 1), 'unknown_event');
    refused(await peer.ask('nonsense'), 'unknown_event');
    socket.emit('nonsense', 1);
    const [name, error] = await socket.next(5000);
    assert.equal(name, 'error');
    assert.equal(error.code, 'unknown_event');
    assert.equal(error.event, 'nonsense');
    peer.send('nonsense');
    const envelope = await peer.next(5000);
    assert.equal(envelope.type, 'error');
    assert.equal(envelope.code, 'unknown_event');
    assert.ok(await eventually(() => /"message":"event refused".*"event":"nonsense".*"code":"unknown_event"/.test(program.output)));
  });

  it('answer whatever names a client makes up', async () => {
    const socket = await connect(program);
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'x'.repeat(10_000), 'auth_expiring']) {
      refused(await socket.ask(name, {}), 'unknown_event');
    }
    for (const payload of [null, [], 1, 'x', { room: null }, { room: {} }, { room: '' }, { room: 'a\u0000b' }, { room: 'x'.repeat(129) }]) {
      assert.equal((await socket.ask('note', payload)).ok, false, JSON.stringify(payload));
      assert.equal((await socket.ask('join', payload)).ok, false, JSON.stringify(payload));
    }
    assert.deepEqual(await socket.ask('for-all', 1), { ok: true });
  });
});

describe('undeclared = "relay"', () => {
  const program = useProgram({ shards: 2, toml: `[contracts]\nundeclared = "relay"\n${kMark}` });
  it('passes what no contract declares to the others in the rooms of the sender', async () => {
    const [socket, peer, stranger] = [await connect(program), await plain(program), await connect(program)];
    for (const client of [socket, peer]) await client.ask('join', { room: 'den' });
    for (const client of [socket, peer]) await client.ask('leave', { room: 'global' });
    assert.deepEqual(await socket.ask('anything', { n: 1 }), { ok: true });
    assert.deepEqual(await peer.next(5000), { type: 'anything', n: 1 });
    await nothingReaches(socket, stranger, socket);
  });
});

describe('a configuration with mistakes', () => {
  it('is refused with all of them, each with its line', async () => {
    const config = file('mistakes.toml', `[[events]]
name = "a"
durable = true

[[events]]
name = "b"
from = "everyone"
rate = "10/fortnight"
schema = { type = "object", propertees = {} }

[[events]]
name = "c"
to = ["x:{a", "{sender.shoe}"]
member_of = ""
stamp = { a = "{" }

[[events]]
name = "d"
emit = "e"

[[events]]
name = "a"

[[events]]
name = "disconnect"

[[events]]
name = "f"
namespace = "/nowhere"
ask = "nobody"
coalesce = "1s"

[[rooms]]
pattern = "a:{"
join = "friends"
`);
    const { code, stdout } = await command(['check', '--config', config]);
    assert.equal(code, 1);
    for (const line of [
      /mistakes\.toml:3: .*durable is not available yet/, /mistakes\.toml:7: .*"everyone" is no right/, /mistakes\.toml:8: .*fortnight/,
      /mistakes\.toml:9: .*propertees.*properties/, /mistakes\.toml:13: .*to/, /mistakes\.toml:13: .*sender\.shoe/, /mistakes\.toml:15: .*stamp/,
      /mistakes\.toml:19: .*emit.*to whom/, /mistakes\.toml:21: .*"a" has a contract already/, /mistakes\.toml:25: .*"disconnect" is a word of the protocol/,
      /mistakes\.toml:\d+: .*"\/nowhere".*does not declare/, /mistakes\.toml:\d+: .*"nobody", which is no question/, /coalesce is not available yet/,
      /mistakes\.toml:34: .*pattern/, /mistakes\.toml:35: .*"friends" is no right/,
    ]) assert.match(stdout, line);
    assert.equal((await command(['serve', '--port', '0', '--config', config])).code, 1);
  });
});
