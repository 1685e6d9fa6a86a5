// test/server/rooms.test.mjs - who may be in which room: every right, refusals of both dialects, the back end's word, and what a
// back end that is dead costs.
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { connect, eventually, kHookSecret, kMark, kSecret, nothingReaches, pause, plain, plainRefusal, refusal, token, useBackEnd, useProgram } from './harness.mjs';

const kRooms = `
[log]
lines_per_second = 1000
[[rooms]]
pattern = "order:{id}"
join = ["role:staff", "claim:orders"]
[[rooms]]
pattern = "diary:{id}"
join = "own"
[[rooms]]
pattern = "club"
join = "authenticated"
[[rooms]]
pattern = "vault"
join = "nobody"
[[rooms]]
pattern = "doc:{project}:{id}"
join = "claim:projects"
[[rooms]]
pattern = "{room}"
join = "public"
[[events]]
name = "tell-user"
to = "user:{userId}"
member_of = ""
[[events]]
name = "tell"
to = "{room}"
member_of = ""
${kMark}`;

const allowed = async (client, room) => assert.deepEqual(await client.ask('join', { room }), { ok: true }, room);
const refused = async (client, room, code) => {
  const answer = await client.ask('join', { room });
  assert.equal(answer.ok, false, `${room}: ${JSON.stringify(answer)}`);
  assert.equal(answer.error.code, code, room);
};

describe('a namespace without events of its own', () => {
  const program = useProgram({ toml: '[[namespaces]]\nname = "/chat"\n[[namespaces]]\npattern = "/org-[a-z]+"\n' });

  it('lets nobody join by the words of the plain protocol', async () => {
    for (const namespace of ['/chat', '/org-red']) {
      const bob = await connect(program, { namespace });
      const eve = await plain(program, { path: `/?namespace=${namespace}` });
      for (const room of [bob.id, 'user:bob', 'admin', 'den']) assert.equal((await eve.ask('join', { room })).error.code, 'unknown_event', `${namespace} ${room}`);
      assert.equal((await bob.ask('join', { room: 'den' })).error.code, 'unknown_event');
    }
  });
});

describe('a user whose id has colons', () => {
  const program = useProgram({ env: { JWT_SECRET: kSecret }, toml: kRooms });

  it('has a room like everybody, and only that one', async () => {
    const id = 'urn:uuid:7';
    const user = await connect(program, { token: await token({ userId: id }) });
    const other = await plain(program, { token: await token({ userId: 'urn' }) });
    const inside = async () => (await (await fetch(`${program.url}/api/v1/rooms/${encodeURIComponent(`user:${id}`)}`)).json()).room.members;
    assert.equal(await inside(), 1);
    await refused(other, `user:${id}`, 'forbidden');
    assert.equal((await user.ask('leave', { room: `user:${id}` })).error.code, 'forbidden');
    assert.equal(await inside(), 1);
  });
});

describe('a server without the default events', () => {
  const program = useProgram({ env: { JWT_SECRET: kSecret }, toml: '[contracts]\ndefaults = false\n[[rooms]]\npattern = "user:{id}"\njoin = "own"\nauto_join = true\n' });

  it('lets nobody join by the words of the plain protocol', async () => {
    const bob = await connect(program, { token: await token({ userId: 'bob' }) });
    const eve = await plain(program);
    for (const word of ['join', 'leave']) assert.equal((await eve.ask(word, { room: 'user:bob' })).error.code, 'unknown_event', word);
    assert.equal((await bob.ask('join', { room: 'user:bob' })).error.code, 'unknown_event');
  });
});

describe('rights to rooms', () => {
  const program = useProgram({ shards: 2, env: { JWT_SECRET: kSecret }, toml: kRooms });
  const clients = async (claims) => {
    const options = claims === undefined ? {} : { token: await token(claims) };
    return [await connect(program, options), await plain(program, options)];
  };

  it('are the same for both dialects', async () => {
    for (const nobody of await clients()) {
      await allowed(nobody, 'lobby');
      for (const room of ['order:7', 'diary:ada', 'club', 'admin', 'authenticated', 'user:ada', 'project:p1', 'doc:p1:x']) await refused(nobody, room, 'unauthorized');
      for (const room of ['vault', 'order:7:x', 'other:7']) await refused(nobody, room, 'forbidden');
    }
    for (const ada of await clients({ userId: 'ada', orders: [7, 'x9'], projects: ['p1'] })) {
      for (const room of ['order:7', 'order:x9', 'diary:ada', 'club', 'authenticated', 'user:ada', 'project:p1', 'doc:p1:x', 'lobby']) await allowed(ada, room);
      for (const room of ['order:8', 'order:77', 'diary:bob', 'user:bob', 'admin', 'vault', 'project:p2', 'doc:p2:x', 'doc:p1', 'order:7:8', 'nowhere:1']) await refused(ada, room, 'forbidden');
    }
    for (const staff of await clients({ userId: 'sam', roles: ['staff', 'admin'] })) {
      for (const room of ['order:8', 'order:anything', 'admin', 'project:p2']) await allowed(staff, room);
      for (const room of ['vault', 'diary:ada', 'user:ada']) await refused(staff, room, 'forbidden');
    }
  });

  it('compare bytes: another case is another name', async () => {
    const [ada] = await clients({ userId: 'ada', orders: ['x'] });
    for (const room of ['order:X', 'diary:Ada', 'Admin:x']) await refused(ada, room, 'forbidden');
  });

  it('are told without an acknowledgement too, and in the log', async () => {
    const [socket, peer] = await clients();
    socket.emit('join', { room: 'club' });
    const [name, error] = await socket.next(5000);
    assert.deepEqual([name, error.code, error.event, error.details], ['error', 'unauthorized', 'join', { room: 'club' }]);
    peer.send('join', { room: 'club' });
    const envelope = await peer.next(5000);
    assert.deepEqual([envelope.type, envelope.code, envelope.details], ['error', 'unauthorized', { room: 'club' }]);
    assert.ok(await eventually(() => /"event refused","event":"join","code":"unauthorized"/.test(program.output)));
  });

  it('let nobody into the room of a socket', async () => {
    const [victim, attacker] = [await connect(program), await connect(program)];
    await refused(attacker, victim.id, 'forbidden');
    await allowed(attacker, attacker.id);
    const peer = await plain(program);
    const answer = await peer.ask('join', { room: victim.id });
    assert.equal(answer.error.code, 'forbidden');
  });

  it('let nobody into a room that is the server\'s', async () => {
    const [socket, peer] = await clients();
    for (const room of ['$', '$everybody', '$many-1']) {
      await refused(socket, room, 'forbidden');
      assert.equal((await peer.ask('join', { room })).error.code, 'forbidden');
    }
    await allowed(socket, 'many-$');
  });

  it('bound the number of rooms, and keep those there are', async () => {
    const socket = await connect(program);
    let joined = 0;
    for (let i = 0; i < 300; ++i) joined += (await socket.ask('join', { room: `many-${i}` })).ok ? 1 : 0;
    assert.equal(joined, 255);  // 256 with `global`
    await refused(socket, 'one-more', 'room_limit');
    await allowed(socket, 'many-0');
    assert.deepEqual(await socket.ask('leave', { room: 'many-1' }), { ok: true });
    await allowed(socket, 'one-more');
  });

  it('refuse names that are none', async () => {
    const [socket, peer] = await clients();
    for (const room of ['', 'a\u0000b', 'line\nbreak', 'x'.repeat(129), '\u007f']) await refused(socket, room, 'invalid_room');
    peer.send('join', { room: 'x'.repeat(129) });
    assert.equal((await peer.next(5000)).code, 'invalid_room');
  });

  it('make all devices of a user one room, which cannot be left', async () => {
    const shown = await token({ userId: 'ada' });
    const [phone, desk, other] = [await connect(program, { token: shown }), await plain(program, { token: shown }), await connect(program)];
    await other.ask('tell-user', { userId: 'ada', text: 'hi' });
    assert.deepEqual((await phone.next(5000))[1].text, 'hi');
    assert.equal((await desk.next(5000)).text, 'hi');
    const answer = await phone.ask('leave', { room: 'user:ada' });
    assert.equal(answer.error.code, 'forbidden');
    await nothingReaches(other, other, phone, desk);
  });

  it('have everybody in global, those with a token in authenticated, administrators in admin', async () => {
    const [nobody, ada, root] = [await connect(program), await connect(program, { token: await token({ userId: 'ada' }) }),
      await connect(program, { token: await token({ userId: 'root', role: 'admin' }) })];
    for (const room of ['admin', 'authenticated', 'global']) await nobody.ask('tell', { room });
    const heard = async (client, count) => {
      const rooms = [];
      for (let i = 0; i < count; ++i) rooms.push((await client.next(5000))[1].room);
      return rooms;
    };
    assert.deepEqual(await heard(root, 3), ['admin', 'authenticated', 'global']);
    assert.deepEqual(await heard(ada, 2), ['authenticated', 'global']);
    assert.deepEqual(await heard(nobody, 1), ['global']);
  });
});

describe('a server that may have few rooms and namespaces', () => {
  const kAdmin = 'adm_1f6c0b8e7d5a4932a1b0c9d8e7f60514';
  const program = useProgram({
    env: { JWT_SECRET: kSecret, TIDEWIRE_API_ADMIN_TOKEN: kAdmin },
    // One of them is global.
    toml: `[server]\nrooms_max = 2\ndynamic_namespaces_max = 1\n[[namespaces]]\npattern = "/org-[a-z]+"\n${kRooms}`,
  });
  const put = async (room, socket) => {
    const response = await fetch(`${program.url}/api/v1/rooms/${room}/join`, {
      method: 'POST', headers: { authorization: `Bearer ${kAdmin}`, 'content-type': 'application/json' }, body: JSON.stringify({ sockets: [socket.id] }),
    });
    return { status: response.status, body: await response.json() };
  };

  it('makes none beyond, says so to both dialects and to the back end, and makes another when one is free', async () => {
    const [socket, peer] = [await connect(program), await plain(program)];
    await allowed(socket, 'den');
    await allowed(peer, 'den');
    for (const client of [socket, peer]) await refused(client, 'attic', 'room_limit');
    const answer = await put('attic', socket);
    assert.equal(answer.status, 503, JSON.stringify(answer.body));
    assert.equal(answer.body.error.code, 'room_limit');
    for (const client of [socket, peer]) assert.deepEqual(await client.ask('leave', { room: 'den' }), { ok: true });
    assert.equal((await put('attic', socket)).status, 200);
    await allowed(peer, 'attic');
  });

  it('makes the rooms that come with a socket all the same', async () => {
    const ada = await connect(program, { token: await token({ userId: 'ada' }) });
    await ada.ask('tell-user', { userId: 'ada', text: 'hi' });
    assert.deepEqual((await ada.next(5000))[1].text, 'hi');
  });

  it('lets nobody into one more namespace', async () => {
    await connect(program, { namespace: '/org-red' });
    await connect(program, { namespace: '/org-red' });
    assert.equal((await refusal(program, { namespace: '/org-blue' })).message, 'Too many namespaces');
    assert.equal((await plainRefusal(program, { path: '/?namespace=/org-blue' })).error.code, 'too_many_namespaces');
  });
});

describe('rooms that the back end decides', () => {
  let answer = () => ({ body: { allow: true } });
  const backEnd = useBackEnd((request) => answer(request));
  const program = useProgram(() => ({
    shards: 2,
    env: { JWT_SECRET: kSecret },
    toml: `
[[hooks.questions]]
name = "rights"
url = "${backEnd.url('/rights')}"
secret = "${kHookSecret}"
timeout = "500ms"
breaker_failures = 3
breaker_pause = "1s"
[[rooms]]
pattern = "desk:{id}"
join = "ask"
ask = "rights"
[[events]]
name = "price"
ask = "rights"
to = "sender"
emit = "priced"
`,
  }));

  it('are asked for with who, where and what, and its yes is a yes', async () => {
    const shown = await token({ userId: 'ada', name: 'Ada' });
    for (const client of [await connect(program, { token: shown }), await plain(program, { token: shown })]) {
      assert.deepEqual(await client.ask('join', { room: 'desk:7' }), { ok: true });
      const { json, path, method } = await backEnd.requests.next(5000);
      assert.deepEqual([method, path], ['POST', '/rights']);
      assert.equal(json.question, 'join');
      assert.equal(json.room, 'desk:7');
      assert.equal(json.namespace, '/');
      assert.deepEqual(json.user, { id: 'ada', name: 'Ada' });
    }
  });

  it('are refused in its own words, or in ours when it has none', async () => {
    const socket = await connect(program);
    answer = () => ({ body: { allow: false, code: 'closed', message: 'come back tomorrow' } });
    assert.deepEqual((await socket.ask('join', { room: 'desk:1' })).error, { code: 'closed', message: 'come back tomorrow', details: { room: 'desk:1' } });
    for (const body of [{ allow: false }, {}, { allow: 'true' }, { allow: 1 }]) {
      answer = () => ({ body });
      assert.equal((await socket.ask('join', { room: 'desk:1' })).error.code, 'forbidden', JSON.stringify(body));
    }
  });

  it('answer events with its data, or refuse them', async () => {
    const socket = await connect(program);
    answer = ({ json }) => ({ body: { ok: true, data: { price: json.data.amount * 2 } } });
    assert.deepEqual(await socket.ask('price', { amount: 21 }), { ok: true, data: { price: 42 } });
    assert.deepEqual(await socket.next(5000), ['priced', { price: 42 }]);
    answer = () => ({ body: { ok: false, error: { code: 'sold_out', message: 'none left', details: { left: 0 } } } });
    assert.deepEqual((await socket.ask('price', { amount: 1 })).error, { code: 'sold_out', message: 'none left', details: { left: 0 } });
  });

  it('cost nobody anything while it hangs, fails or is dead, and come back with it', async () => {
    const [socket, neighbour] = [await connect(program), await connect(program)];
    answer = () => undefined;
    const waiting = [1, 2, 3].map(() => socket.ask('join', { room: 'desk:1' }));
    const begin = process.hrtime.bigint();
    assert.deepEqual(await neighbour.ask('echo', 1), 1);
    assert.ok(Number(process.hrtime.bigint() - begin) < 400e6, 'a neighbour waited for the back end');
    for (const { error } of await Promise.all(waiting)) assert.equal(error.code, 'backend_unavailable');
    const before = backEnd.count;
    assert.equal((await socket.ask('join', { room: 'desk:1' })).error.code, 'backend_unavailable');
    assert.equal(backEnd.count, before, 'the breaker is open: nobody is asked');
    answer = () => ({ status: 500 });
    await pause(1200);
    assert.equal((await socket.ask('join', { room: 'desk:1' })).error.code, 'backend_unavailable');
    answer = () => ({ body: { allow: true } });
    assert.ok(await eventually(async () => (await socket.ask('join', { room: 'desk:1' })).ok === true));
  });

  it('lose nothing when the asker leaves before the answer', async () => {
    let release;
    answer = () => new Promise((resolve) => { release = () => resolve({ body: { allow: true } }); });
    const socket = await connect(program);
    socket.emit('join', { room: 'desk:9' });
    assert.ok(await eventually(() => release !== undefined));
    socket.disconnect();
    release();
    const next = await connect(program);
    assert.deepEqual(await next.ask('echo', 'alive'), 'alive');
  });
});
