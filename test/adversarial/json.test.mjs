// test/adversarial/json.test.mjs - catalogue 2e: JSON as it must not be, sent as the argument of an event. A valid text is
// echoed with its meaning unchanged, an invalid one closes the connection with 1002.
import { describe } from 'node:test';
import assert from 'node:assert/strict';
import { joined, openEngine } from '../e2e/socketio_raw.mjs';
import { text } from '../e2e/wire.mjs';
import { expectClose, useTarget } from './gauntlet.mjs';

const { server, row } = useTarget('client');

async function refuse(json) {
  const socket = await joined(server);
  const bytes = Buffer.isBuffer(json) ? json : Buffer.from(json);
  await socket.write(text(Buffer.concat([Buffer.from('421["echo",'), bytes, Buffer.from(']')])));
  await expectClose(socket, [1002, 1007]).catch((error) => assert.fail(`${JSON.stringify(bytes.toString()).slice(0, 80)}: ${error.message}`));
}
const refuses = (name, texts) => row(`adv_2e ${name}: closed`, async () => {
  for (const each of texts) await refuse(each);
});
const accepts = (name, texts) => row(`adv_2e ${name}: delivered`, async () => {
  const socket = await joined(server);
  for (const json of texts) {
    await socket.send(`421["echo",${json}]`);
    const answer = await socket.next();
    assert.ok(answer?.startsWith('431['), `${json.slice(0, 80)}: ${answer ?? (await socket.closed).code}`);
    assert.deepEqual(JSON.parse(answer.slice(3)), [JSON.parse(json)]);
  }
  socket.destroy();
});

describe('2e values', () => {
  accepts('the simple ones', ['null', 'true', 'false', '0', '-0', '""', '[]', '{}', ' 1 ', '\t[\n1\r,2 ]', '[ ]', '{ }', '{"a" : 1 , "b":[ ]}']);
  accepts('numbers', ['1.5', '-1.5e10', '1E5', '1e+5', '1e-5', '0.0', '0e0', '-0.0', '1234567890', '123123e100']);
  accepts('strings', ['"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\u0041\\u00e9\\u20ac"', '"\\ud83d\\ude00"', '"\\u0000"', '"\u007f"', '"\u2028\u2029"', '"😀"', '"\\uDBFF\\uDFFF"', '"\uffff"', '"/"']);
  accepts('keys', ['{"":0}', '{"a\\u0000b":1}', '{"__proto__":1}', '{"a":1,"a":2}', `{${Array.from({ length: 20_000 }, (_, i) => `"key${i}":${i}`).join(',')}}`]);
  accepts('depth 60', [`${'['.repeat(60)}${']'.repeat(60)}`, `${'{"a":'.repeat(60)}1${'}'.repeat(60)}`]);
  accepts('lone surrogates as escapes', ['"\\ud800"', '"\\udead"', '"\\ud800\\ud800\\n"', '"\\ud800abc"', '"\\uD834\\uD834\\uDD1E"']);
});

describe('2e what is no JSON', () => {
  refuses('numbers that are none', [
    '01', '-', '+1', '.5', '1.', '1.e5', '1e', '1e+', '-01', '0x10', '1_000', '--1', '1.2.3', '1e5.5', '-.1', '1 000', 'NaN', '-Infinity', '１', '2.e+3', '0e', '-012',
  ]);
  refuses('numbers of more than 32 characters', ['1'.repeat(33), `0.${'1'.repeat(40)}`, `1e${'1'.repeat(100)}`]);
  refuses('words', ['tru', 'nul', 'falsey', 'TRUE', 'True', 'undefined', 'a', 'nan', 'truefalse']);
  refuses('arrays', ['[1,]', '[,1]', '[1,,2]', '[', '[1', '[1}', '[1 2]', '[1:2]', '[,]', '[[]', '["a",\n4\n,1,']);
  refuses('objects', ['{"a":1,}', '{,"a":1}', '{"a"}', '{"a":}', '{"a" 1}', '{a:1}', '{1:1}', '{"a":1 "b":2}', '{"a":1', "{'a':1}", '{"a"::1}', '{null:1}', '{"a":1]', '{[]:1}', '{"a":"b",,"c":1}']);
  refuses('strings', ['"', '"a', '"\\x41"', '"\\u12"', '"\\u12G4"', '"\\"', '"\\a"', '"\\uD8\\u00"', "'a'", '"a\nb"', '"a\tb"', '"\u0001"', '"\u001f"', '"\\\u0000"', '"\\U0041"', '"\\"x']);
  refuses('white space that is none', ['\u000b1', '\f1', '\u00a01', '\u20281', '\u2060[]']);
  refuses('comments and trailing data', ['1 // one', '/* a */ 1', '1 # x', '1;', '1]1', '{}}', '[]]']);
  refuses('a byte order mark', ['\ufeff1', '\ufeff[]']);
  refuses('invalid UTF-8', ['c0af', 'ff', 'eda080', 'f4908080', '80', 'e282', 'f8808080', 'fc8383838383'].map((hex) => Buffer.concat([Buffer.from('"'), Buffer.from(hex, 'hex'), Buffer.from('"')])));
  refuses('depth 70 and more', [70, 1_000, 100_000].flatMap((depth) => ['['.repeat(depth) + ']'.repeat(depth), '{"a":'.repeat(depth) + '1' + '}'.repeat(depth), '['.repeat(depth), '[{"":'.repeat(depth)]));
});

describe('2e before authentication', () => {
  row('adv_2e a CONNECT payload of 10,000 nodes and more', async () => {
    const accepted = await openEngine(server);
    await accepted.send(`40{"list":[${Array(5_000).fill('1').join(',')}]}`);
    assert.match(await accepted.next(), /^40\{/);
    accepted.destroy();
    const refused = await openEngine(server);
    await refused.send(`40{"list":[${Array(20_000).fill('1').join(',')}]}`);
    await expectClose(refused, 1002);
  });
  row('adv_2e a CONNECT payload that is deep', async () => {
    const socket = await openEngine(server);
    await socket.send(`40${'{"a":'.repeat(100)}1${'}'.repeat(100)}`);
    await expectClose(socket, 1002);
  });
  row('adv_2e duplicate keys: the handshake shows the last', async () => {
    const socket = await openEngine(server);
    await socket.send('40{"token":"first","token":"last"}');
    await socket.next();
    await socket.send('421["getHandshake"]');
    const [handshake] = JSON.parse((await socket.next()).slice(3));
    assert.equal(handshake.auth.token, 'last');
    socket.destroy();
  });
  row('adv_2e colliding and very many keys cost linear time', async () => {
    const keys = (prefix) => `{${Array.from({ length: 40_000 }, (_, i) => `"${prefix}${i}":0`).join(',')}}`;
    const socket = await joined(server);
    const before = server.cpuMs();
    for (const prefix of ['Aa', 'BB', '\\u0041']) {
      await socket.send(`421["echo",${keys(prefix)}]`);
      assert.match(await socket.next(), /^431\[/);
    }
    assert.ok(server.cpuMs() - before < 3_000);
    socket.destroy();
  });
});
