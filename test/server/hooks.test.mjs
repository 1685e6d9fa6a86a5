// test/server/hooks.test.mjs - what a back end is told: signed, in order, in batches, again when it failed, and never at a client's cost.
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { BackEnd, connect, eventually, kHookSecret, kSecret, pause, plain, Program, token, useBackEnd, useProgram } from './harness.mjs';

const webhook = (url, more = '') => `
[[hooks.webhooks]]
name = "audit"
url = "${url}"
secret = "${kHookSecret}"
events = ["connect", "disconnect", "join", "leave", "event:order"]
batch_interval = "20ms"
timeout = "1s"
${more}
[[events]]
name = "order"
[[events]]
name = "unheard"
`;

// All events of the batches so far, in the order they came; each batch must be signed.
function collect(backEnd) {
  const events = [];
  const batches = [];
  const read = () => {
    for (const { text, headers } of backEnd.requests.drain()) {
      const expected = createHmac('sha256', kHookSecret).update(`${headers['tidewire-timestamp']}.${text}`).digest('hex');
      assert.equal(headers['tidewire-signature'], `v1=${expected}`);
      assert.equal(headers['content-type'], 'application/json');
      const batch = JSON.parse(text);
      assert.equal(headers['idempotency-key'], batch.id);
      if (batches.some((each) => each.id === batch.id)) continue;  // once more: our first answer was lost
      batches.push(batch);
      events.push(...batch.events);
    }
    return events;
  };
  return { read, batches };
}

describe('webhooks', () => {
  let status = 200;
  const backEnd = useBackEnd(() => ({ status }));
  const program = useProgram(() => ({ shards: 1, env: { JWT_SECRET: kSecret }, toml: webhook(backEnd.url('/hook')) }));
  const seen = collect(backEnd);

  it('tell of connect, join, event, leave and disconnect, in that order, with who it was', async () => {
    const socket = await connect(program, { token: await token({ userId: 'ada', name: 'Ada' }) });
    await socket.ask('join', { room: 'den' });
    await socket.ask('order', { id: 7 });
    await socket.ask('unheard');
    await socket.ask('leave', { room: 'den' });
    const { id } = socket;
    socket.disconnect();
    assert.ok(await eventually(() => seen.read().some((event) => event.event === 'disconnect')));
    const mine = seen.read().filter((event) => event.socket.id === id && !['global', 'authenticated', 'user:ada'].includes(event.room));
    assert.deepEqual(mine.map((event) => event.event), ['connect', 'join', 'event', 'leave', 'disconnect']);
    const [connected, joined, order, left, gone] = mine;
    assert.deepEqual(connected.user, { id: 'ada', name: 'Ada' });
    assert.deepEqual(connected.socket, { id, namespace: '/', dialect: 'socketio', address: '127.0.0.1' });
    assert.deepEqual([joined.room, left.room], ['den', 'den']);
    assert.deepEqual([order.name, order.arguments], ['order', [{ id: 7 }]]);
    assert.equal(gone.reason, 'client namespace disconnect');
    assert.equal(gone.socket.address, '127.0.0.1');
    for (const event of mine) assert.ok(Math.abs(Date.parse(event.time) - Date.now()) < 60_000);
  });

  it('come in batches, and in the order of the events', async () => {
    const peer = await plain(program);
    for (let n = 0; n < 300; ++n) peer.send('order', { n });
    await peer.ask('order', { n: 300 });
    const orders = () => seen.read().filter((event) => event.event === 'event' && event.arguments[0].n !== undefined);
    assert.ok(await eventually(() => orders().length === 301));
    assert.deepEqual(orders().map((event) => event.arguments[0].n), Array.from({ length: 301 }, (_, n) => n));
    assert.ok(seen.batches.length < 200, `${seen.batches.length} batches`);
    assert.ok(seen.batches.every((batch) => batch.dropped === 0));
  });

  it('are sent again after a failure, and nothing is lost', async () => {
    status = 500;
    const peer = await plain(program);
    await peer.ask('order', { again: 1 });
    await pause(300);
    status = 200;
    const came = () => seen.read().some((event) => event.arguments?.[0].again === 1);
    assert.ok(await eventually(came, 10_000));
  });
});

describe('a receiver that is dead', () => {
  it('costs a bounded amount, disturbs nobody, and hears how many it missed', async () => {
    const backEnd = await new BackEnd(() => ({})).start();
    const program = await new Program({ toml: webhook(backEnd.url(), 'queue_events_max = 100\nattempts_max = 100\nbreaker_pause = "200ms"\nbreaker_pause_max = "200ms"') + '[rates]\nconnection = ""\nuser = ""\n' }).start();
    try {
      const peer = await plain(program);
      await peer.ask('order', { n: -1 });
      assert.ok(await eventually(() => backEnd.count > 0));
      await backEnd.stop();
      for (let n = 0; n < 5_000; ++n) peer.send('order', { n });
      assert.equal((await peer.ask('echo', { data: 'alive' })), 'alive');
      backEnd.requests.drain();
      await backEnd.start();
      const seen = collect(backEnd);
      const missed = () => {
        seen.read();
        return seen.batches.reduce((sum, batch) => sum + batch.dropped, 0);
      };
      // What was dropped is told with the next batch, so there must be one.
      assert.ok(await eventually(async () => (await peer.ask('order', { n: 10_000 })).ok && missed() > 4_000, 10_000));
      const orders = seen.read().filter((event) => event.event === 'event').map((event) => event.arguments[0].n).filter((n) => n < 10_000);
      assert.deepEqual(orders, [...orders].sort((a, b) => a - b));
      assert.ok(orders.length <= 200 && orders.length + missed() >= 4_900, `${orders.length} came, ${missed()} were missed`);
    } finally {
      await program.stop();
      if (backEnd.server.listening) await backEnd.stop();
    }
  });
});

describe('what a back end is told of tenants and of its own doing', () => {
  const backEnd = useBackEnd(() => ({}));
  const program = useProgram(() => ({ env: { JWT_SECRET: kSecret }, toml: `[tenants]\nsource = "claim"\n${webhook(backEnd.url('/hook'))}` }));
  const seen = collect(backEnd);

  it('names the tenant of the socket, and joins by the HTTP API', async () => {
    const socket = await connect(program, { token: await token({ userId: 'ada', tenant: 'red' }) });
    const put = async (what, sockets) => (await fetch(`${program.url}/api/v1/rooms/den/${what}?tenant=red`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ sockets }) })).status;
    assert.equal(await put('join', [socket.id]), 200);
    assert.equal(await put('leave', [socket.id]), 200);
    assert.equal(await put('join', ['global']), 400, 'a room is no connection');
    assert.ok(await eventually(() => seen.read().filter((event) => event.room === 'den').length === 2));
    const mine = seen.read().filter((event) => event.room === 'den');
    assert.deepEqual(mine.map((event) => event.event), ['join', 'leave']);
    for (const event of mine) assert.deepEqual([event.socket.tenant, event.user.tenant], ['red', 'red']);
  });
});

describe('an answer of the back end', () => {
  const held = [];
  const backEnd = useBackEnd(({ json }) => {
    if (json.event === 'slowly') return new Promise((resolve) => held.push(resolve));
    return { body: { clear: { ok: true, data: 7 }, empty: {}, text: { ok: 'true' }, error: { error: { code: 'sold_out' } } }[json.data.say] };
  });
  const kAsk = `ask = "prices"\n`;
  const program = useProgram(() => ({ env: { JWT_SECRET: kSecret }, toml: `
[[hooks.questions]]
name = "prices"
url = "${backEnd.url('/ask')}"
secret = "${kHookSecret}"
timeout = "5s"
[[events]]
name = "price"
${kAsk}
[[events]]
name = "slowly"
${kAsk}to = "{room}"
[[events]]
name = "heard"
` }));

  it('lets an event through only when it says so', async () => {
    const peer = await plain(program);
    assert.deepEqual(await peer.ask('price', { say: 'clear' }), { ok: true, data: 7 });
    for (const say of ['empty', 'text']) assert.equal((await peer.ask('price', { say })).error.code, 'forbidden', say);
    assert.equal((await peer.ask('price', { say: 'error' })).error.code, 'sold_out');
  });

  it('comes too late for who has left the room meanwhile, and one socket waits for a few only', async () => {
    const [ada, bob] = [await connect(program), await connect(program)];
    for (const each of [ada, bob]) await each.ask('join', { room: 'den' });
    const late = ada.ask('slowly', { room: 'den' });
    assert.ok(await eventually(() => held.length === 1));
    await ada.ask('leave', { room: 'den' });
    held.pop()({ body: { ok: true, data: { text: 'too late' } } });
    assert.equal((await late).error.code, 'not_a_member');

    const answers = Array.from({ length: 20 }, () => bob.ask('slowly', { room: 'den' }));
    const refused = (await Promise.all(answers.slice(8))).map((answer) => answer.error.code);
    assert.deepEqual(refused, Array(12).fill('backend_unavailable'));
    assert.ok(await eventually(() => held.length === 8));
    for (const answer of held.splice(0)) answer({ body: { ok: true } });
    assert.ok((await Promise.all(answers.slice(0, 8))).every((answer) => answer.ok));
    const again = bob.ask('slowly', { room: 'den' });
    assert.ok(await eventually(() => held.length === 1));
    held.pop()({ body: { ok: true } });
    assert.equal((await again).ok, true, 'places are free again');
  });
});

describe('the end of the server', () => {
  it('delivers what is queued first', async () => {
    const backEnd = await new BackEnd(() => ({})).start();
    const program = await new Program({ toml: webhook(backEnd.url(), '').replace('"20ms"', '"30s"') }).start();
    const peer = await plain(program);
    await peer.ask('order', { last: true });
    assert.equal(backEnd.count, 0);
    await program.stop();
    const events = backEnd.requests.drain().flatMap(({ json }) => json.events);
    assert.ok(events.some((event) => event.arguments?.[0].last === true));
    assert.ok(events.some((event) => event.event === 'disconnect'));
    await backEnd.stop();
  });
});
