// test/adversarial/socketio.test.mjs - catalogue 2d (S01 to S60): Socket.IO packets as they must not be, each over WebSocket
// (close 1002) and over polling (400 {"code":3}, the session gone). S57 and S59's timeout are in slow.test.mjs.
import { describe } from 'node:test';
import assert from 'node:assert/strict';
import { pause, reference } from '../e2e/harness.mjs';
import { kSeparator, PollingSession } from '../e2e/polling.mjs';
import { joined, joinedByPolling, openEngine } from '../e2e/socketio_raw.mjs';
import { text } from '../e2e/wire.mjs';
import { expectClose, kMegabyte, useTarget } from './gauntlet.mjs';

const { server, row } = useTarget('client');
const kBytes = Buffer.from([1, 2, 3]);
const kPlaceholder = '{"_placeholder":true,"num":0}';

const asPolled = (packet) => (typeof packet === 'string' ? packet : `b${packet.toString('base64')}`);

// Packets that end the connection: every vector is a list of Engine.IO messages (text packets with their '4', binary as Buffer).
function closes(name, vectors, { beforeConnect = false } = {}) {
  row(`adv_${name}: closed with 1002`, async () => {
    for (const packets of vectors) {
      const socket = beforeConnect ? await openEngine(server) : await joined(server);
      for (const packet of packets) socket.send(packet);
      await expectClose(socket, 1002).catch((error) => assert.fail(`${String(packets).slice(0, 100)}: ${error.message}`));
    }
  });
  row(`adv_${name}: over polling 400, the session gone`, async () => {
    for (const packets of vectors) {
      const session = beforeConnect ? await PollingSession.open(server, { path: '/socket.io/' }) : await joinedByPolling(server);
      const { status, body } = await session.post(packets.map(asPolled).join(kSeparator));
      if (reference) continue;  // it says ok and closes a moment later
      assert.equal(status, 400, `${String(packets).slice(0, 100)}: ${status} ${body}`);
      assert.equal(body, '{"code":3,"message":"Bad request"}');
      const later = await session.get();
      assert.equal(later.body, '{"code":1,"message":"Session ID unknown"}');
    }
  });
}

// Packets that change nothing: an echo behind them is answered first.
function ignored(name, vectors) {
  row(`adv_${name}: ignored`, async () => {
    for (const packets of vectors) {
      const socket = await joined(server);
      for (const packet of packets) socket.send(packet);
      socket.send('421["echo","alive"]');
      assert.equal(await socket.next(), '431["alive"]', String(packets).slice(0, 100));
      socket.destroy();
    }
  });
}

// Event `echo` with one value as JSON text: comes back as `expected` (the same text unless given).
function echoes(name, values) {
  row(`adv_${name}: delivered`, async () => {
    const socket = await joined(server);
    for (const value of values) {
      await socket.send(`425["echo",${value}]`);
      const answer = await socket.next();
      assert.ok(answer?.startsWith('435['), `${value.slice(0, 100)}: ${answer}`);
      assert.deepEqual(JSON.parse(answer.slice(3)), [JSON.parse(value)]);
    }
    socket.destroy();
  });
}

describe('2d packets', () => {
  closes('S01 Engine.IO packet of an unknown type', [['9'], ['x'], ['']]);
  closes('S02 an empty message packet', [['4']]);
  closes('S03 unknown Socket.IO types', [['4x'], ['47'], ['4-1'], ['4😀']]);
  closes('S04 a ping from the client', [['2'], ['2probe']]);
  row('adv_S05 lone pong, upgrade and noop over WebSocket: ignored', async () => {
    const socket = await joined(server);
    for (const packet of ['3', '5', '6']) await socket.send(packet);
    await socket.send('421["echo","alive"]');
    assert.equal(await socket.next(), '431["alive"]');
    socket.destroy();
  });
  row('adv_S06 a close packet over WebSocket closes the session', async () => {
    const socket = await joined(server);
    await socket.send('1');
    await socket.waitForClose();
  });
  closes('S08 CONNECT twice', [['40'], ['40/']]);
  closes('S09 EVENT, ACK, DISCONNECT, binary header before CONNECT', [
    ['42["echo",1]'], ['430[]'], ['41'], [`451-["echo",${kPlaceholder}]`], ['461-0[1]'], ['42/foo,["getId"]'],
  ], { beforeConnect: true });
  row('adv_S09b packets for a namespace just left: ignored', async () => {
    const socket = await joined(server);
    await socket.send('40/foo,');
    await socket.next();
    for (const packet of ['41/foo,', '42/foo,1["getId"]', '43/foo,1[]', '41/foo,']) socket.send(packet);
    socket.send('421["echo","alive"]');
    assert.equal(await socket.next(), '431["alive"]');
    socket.destroy();
  });
  row('adv_S10 unknown namespaces are refused one by one; too many end the connection', async () => {
    const socket = await openEngine(server);
    for (let i = 0; i < 100; i += 1) socket.send(`40/nowhere${i},`);
    const first = await socket.next();
    assert.equal(first, '44/nowhere0,{"message":"Invalid namespace"}');
    await socket.messages.take(5);
    socket.destroy();
  });
  closes('S11 CONNECT with a payload that is no JSON', [['40{'], ['40{"a":}'], ['40x']], { beforeConnect: true });
  closes('S12 CONNECT with an array', [['40[]'], ['40["a"]']], { beforeConnect: true });
  closes('S13 CONNECT with a string', [['40"a"']], { beforeConnect: true });
  closes('S14 CONNECT_ERROR from the client', [['44{"message":"x"}'], ['44"x"'], ['44']]);
  closes('S15 DISCONNECT with a payload', [['41{}'], ['41"x"'], ['41[]']]);
  closes('S16 EVENT with an object', [['42{}'], ['42{"0":"echo"}']]);
  closes('S17 EVENT with an empty array', [['42[]']]);
  closes('S18 EVENT with a string, null, a boolean', [['42"echo"'], ['42null'], ['42true']]);
  closes('S19 reserved event names', ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'].map((name) => [`42["${name}"]`]));
  ignored('S19b names that are special only to a JavaScript object', ['__proto__', 'constructor', 'toString', 'error', '', 'hasOwnProperty'].map((name) => [`42["${name}",1]`]));
  ignored('S19c a number as the name', [['42[5,1]'], ['42[-1]']]);
  closes('S20 an object as the name', [['42[{}]'], ['42[{"toString":"x"}]'], ['42[[]]']]);
  closes('S21 null or a boolean as the name', [['42[null]'], ['42[true]']]);
});

describe('2d attachments', () => {
  const header = (count, rest = `["echo",${kPlaceholder}]`) => [`45${count}-${rest}`];
  closes('S23 eleven attachments', [header(11)]);
  closes('S24 a billion attachments', [header(1_000_000_000), header('9'.repeat(30))]);
  closes('S25 minus one attachment', [header(-1)]);
  closes('S26 a count without number', [header('')]);
  closes('S27 a count without what follows', [['45-'], ['450-'], ['45'], ['451'], ['451["echo"]']]);
  closes('S28 counts that only JavaScript takes for numbers', ['1e0', '0x1', '1.0', ' 1', '01', '+1', '1 '].map((count) => header(count)));
  const placed = (num) => [`451-["echo",{"_placeholder":true,"num":${num}}]`, kBytes];
  closes('S30 a placeholder out of range', [placed(5), placed(1)]);
  closes('S31 a placeholder that is a string', [placed('"splice"'), placed('"0"')]);
  closes('S32 a negative placeholder', [placed(-1)]);
  closes('S33 a placeholder that is no integer', [placed(0.5), placed('1e400'), placed('1e-400'), placed('null'), placed('[0]')]);
  row('adv_S34 an attachment nobody refers to: delivered', async () => {
    const socket = await joined(server);
    await socket.send('451-7["echo",1]');
    await socket.send(kBytes);
    assert.equal(await socket.next(), '437[1]');
    socket.destroy();
  });
  row('adv_S35 one attachment in two places: delivered', async () => {
    const socket = await joined(server);
    await socket.send(`451-7["echo",[${kPlaceholder},${kPlaceholder}]]`);
    await socket.send(kBytes);
    const answer = await socket.next();
    const count = Number(/^46(\d)-7/.exec(answer)?.[1]);
    assert.ok(count >= 1, answer);
    for (const bytes of await socket.messages.take(count)) assert.deepEqual(bytes, kBytes);
    socket.destroy();
  });
  row('adv_S35b an attachment in 100,000 places costs a bounded amount', async () => {
    const socket = await joined(server);
    await socket.send(`451-["echo",[${Array(25_000).fill(kPlaceholder).join(',')}]]`);
    await socket.send(Buffer.alloc(900_000));
    await Promise.race([socket.closed, pause(500)]);
    socket.destroy();
  }, { rss: 24 * kMegabyte });
  closes('S36 text while binary is due', [[header(1)[0], '42["echo",1]'], [header(2)[0], kBytes, '40/foo,']]);
  closes('S37 binary without a header', [[kBytes], [Buffer.alloc(0)]]);
  closes('S38 binary before CONNECT', [[kBytes]], { beforeConnect: true });
});

describe('2d acknowledgements', () => {
  ignored('S39 an unknown id', [['4399[]'], ['430["x"]'], ['439007199254740991[]']]);
  closes('S40 an id of 400 digits', [[`42${'9'.repeat(400)}["echo",1]`], [`43${'9'.repeat(400)}[]`]]);
  closes('S41 an id of 2^53 and beyond', [['429007199254740992["echo",1]'], ['429007199254740993["echo",1]']]);
  row('adv_S41b an id of 2^53-1 is answered digit by digit', async () => {
    const socket = await joined(server);
    await socket.send('429007199254740991["echo",1]');
    assert.equal(await socket.next(), '439007199254740991[1]');
    socket.destroy();
  });
  closes('S42 a negative id', [['43-1[]'], ['42-1["echo",1]']]);
  closes('S43 an object as payload', [['431{}'], ['431"x"']]);
  ignored('S44 no payload for an id nobody waits for', [['431']]);
  ignored('S45 an acknowledgement without id', [['43[]']]);
});

describe('2d JSON in packets', () => {
  for (const depth of [70, 10_000, 150_000]) {
    closes(`S46 JSON ${depth} deep`, [[`42["echo",${'['.repeat(depth)}${']'.repeat(depth)}]`], [`42["echo",${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}]`]]);
  }
  echoes('S47 JSON 60 deep', [`${'['.repeat(60)}${']'.repeat(60)}`]);
  row('adv_S48 numbers come back as they were written', async () => {
    const socket = await joined(server);
    for (const number of ['1e400', '1E+2', '-0', '0.1000', '9007199254740993', '1.0', '123456789012345678901234567890']) {
      await socket.send(`421["echo",${number}]`);
      assert.equal(await socket.next(), `431[${number}]`);
    }
    socket.destroy();
  });
  echoes('S49 duplicate keys', ['{"a":1,"a":2}']);
  echoes('S50 a lone surrogate as escape, a __proto__ key', ['"\\ud800"', '"\\udc00x"', '{"__proto__":{"polluted":true}}', '"\\u0000"']);
  closes('S51 trailing garbage', [['42["echo",1]x'], ['42["echo",1] ]'], ['42["echo",1]["a"]']]);
  closes('S52 NaN and its kin', [['42["echo",NaN]'], ['42["echo",Infinity]'], ['42["echo",undefined]']]);
  closes('S53 a raw NUL', [['42["echo","\0"]'], ['42["echo",1]\0']]);
});

describe('2d namespaces', () => {
  row('adv_S54 a namespace of 100 KB: closed with 1002', async () => {
    for (const length of [300, 100_000]) {
      const socket = await openEngine(server);
      await socket.send(`40/${'n'.repeat(length)},`);
      await expectClose(socket, 1002);
    }
  });
  row('adv_S55 a query behind the name is taken off', async () => {
    const socket = await openEngine(server);
    await socket.send('40/foo?a=b,');
    assert.match(await socket.next(), /^40\/foo,\{/);
    socket.destroy();
  });
  row('adv_S56 a name without comma is a name', async () => {
    const socket = await openEngine(server);
    await socket.send('40/foo');
    assert.match(await socket.next(), /^40\/foo,\{/);
    socket.destroy();
  });
});

describe('2d floods', () => {
  row('adv_S59 5,000 acknowledgements asked of a client that never gives one', async () => {
    const socket = await joined(server);
    await socket.write(Buffer.concat(Array(5_000).fill(text('42["ack"]'))));
    await socket.messages.take(500);
    socket.destroy();
  }, { rss: 8 * kMegabyte });
  row('adv_S60 50,000 events at once: the neighbour does not wait for them', async () => {
    const socket = await joined(server);
    socket.write(Buffer.concat(Array.from({ length: 50_000 }, (_, i) => text(`42${i}["echo",${i}]`))));
    for (let i = 0; i < 50_000; i += 1) assert.equal(await socket.next(20_000), `43${i}[${i}]`);
    socket.destroy();
  });
});
