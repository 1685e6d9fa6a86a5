// test/adversarial/websocket.test.mjs - catalogue 2b (W01 to W38): frames, extensions and handshakes as they must not be.
// W30 (a frame that never ends) is in slow.test.mjs.
import { describe } from 'node:test';
import assert from 'node:assert/strict';
import { deflateRawSync, constants } from 'node:zlib';
import { eventually } from '../e2e/harness.mjs';
import { binary, closeFrame, frame, Opcode, ping, RawTcp, RawWebSocket, text, upgradeRequest } from '../e2e/wire.mjs';
import { bomb, deflated, kDeflate } from './deflate.mjs';
import { expectClose, expectStatus, kMegabyte, seeded, useTarget } from './gauntlet.mjs';

describe('2b frames', () => {
  const { server, row } = useTarget('websocket');
  const open = (options) => RawWebSocket.open(server.port, '/', options);
  const closesWith = (code, vectors, options) => async () => {
    for (const bytes of vectors) {
      const socket = await open(options);
      await socket.write(bytes);
      await expectClose(socket, code);
    }
  };

  row('adv_W01 RSV1 without the extension', closesWith(1002, [text('x', { rsv: 4 }), binary('', { rsv: 4 })]));
  row('adv_W02 RSV2', closesWith(1002, [text('x', { rsv: 2 })]));
  row('adv_W03 RSV3, and all three', closesWith(1002, [text('x', { rsv: 1 }), text('x', { rsv: 7 })]));
  row('adv_W04 opcodes 3 to 7', closesWith(1002, [3, 4, 5, 6, 7].map((opcode) => frame(opcode, 'x'))));
  row('adv_W05 opcodes 11 to 15', closesWith(1002, [11, 12, 13, 14, 15].map((opcode) => frame(opcode, 'x'))));
  row('adv_W06 a fragmented control frame', closesWith(1002, [Opcode.ping, Opcode.pong, Opcode.close].map((opcode) => frame(opcode, '', { fin: false }))));
  row('adv_W07 a control frame over 125 bytes', closesWith(1002, [Opcode.ping, Opcode.pong, Opcode.close].map((opcode) => frame(opcode, 'x'.repeat(126)))));
  row('adv_W09 an unmasked frame', closesWith(1002, [text('hello', { mask: false }), ping('', { mask: false }), frame(Opcode.close, '', { mask: false })]));

  const kBadUtf8 = {
    'adv_W10 overlong UTF-8': ['c0af', 'e080af', 'f08080af', 'c1bf', '80', 'ff', 'fe'],
    'adv_W11 UTF-8 beyond U+10FFFF, and surrogates': ['f4908080', 'f5808080', 'eda080', 'edbfbf', 'eda080edb080'],
    'adv_W12 UTF-8 that breaks off': ['ce', 'e282', 'f09f98', 'f0', 'c3'],
  };
  for (const [name, sequences] of Object.entries(kBadUtf8)) {
    row(name, async () => {
      for (const hex of sequences) {
        const bad = Buffer.concat([Buffer.from('κόσμε'), Buffer.from(hex, 'hex')]);
        for (let at = 0; at <= bad.length; at += 1) {
          const socket = await open();
          await socket.write(Buffer.concat([text(bad.subarray(0, at), { fin: false }), frame(Opcode.continuation, bad.subarray(at))]));
          await expectClose(socket, 1007);
        }
      }
    });
  }
  row('adv_W12b bad UTF-8 is refused at its first bad byte, not at the end of the message', async () => {
    const good = Buffer.from('good ');
    for (const start of [
      Buffer.concat([text(good, { fin: false }), frame(Opcode.continuation, Buffer.from([0xf4, 0x90]), { fin: false })]),
      text(Buffer.concat([good, Buffer.from([0xff]), Buffer.alloc(5_000, 'x')])).subarray(0, 64),
    ]) {
      const socket = await open();
      await socket.write(start);
      await expectClose(socket, 1007);
    }
  });
  row('adv_W13 a continuation without a start', closesWith(1002, [
    frame(Opcode.continuation, 'x'),
    frame(Opcode.continuation, 'x', { fin: false }),
    Buffer.concat([text('whole'), frame(Opcode.continuation, 'x')]),
  ]));
  row('adv_W14 a new message inside a message', closesWith(1002, [
    Buffer.concat([text('a', { fin: false }), text('b')]),
    Buffer.concat([text('a', { fin: false }), binary('b', { fin: false })]),
  ]));

  const announced = (length) => frame(Opcode.binary, '', { lengthForm: 64, announce: length });
  row('adv_W15 a 64-bit length with its highest bit set', closesWith(1002, [announced(1n << 63n), announced((1n << 64n) - 1n)]));
  row('adv_W16 a length of 2^63-1', closesWith(1009, [announced((1n << 63n) - 1n)]), { rss: 4 * kMegabyte });
  row('adv_W17 a length of 2^32+2', closesWith(1009, [announced((1n << 32n) + 2n)]), { rss: 4 * kMegabyte });
  row('adv_W18 a short length in 16 bits', closesWith(1002, [frame(Opcode.text, 'hello', { lengthForm: 16 }), frame(Opcode.text, 'x'.repeat(125), { lengthForm: 16 })]));
  row('adv_W19 a short length in 64 bits', closesWith(1002, [
    frame(Opcode.text, 'hello', { lengthForm: 64 }), frame(Opcode.text, 'x'.repeat(65_535), { lengthForm: 64 }),
  ]));

  const invalidCodes = [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535];
  row('adv_W23 close codes that may not be sent are answered by 1002', closesWith(1002, invalidCodes.map((code) => closeFrame(code))));
  row('adv_W23b close codes that may be sent are echoed', async () => {
    for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]) await closesWith(code, [closeFrame(code, 'why')])();
  });
  row('adv_W24 a close payload of one byte', closesWith(1002, [frame(Opcode.close, 'x')]));
  row('adv_W25 a close reason that is no UTF-8', closesWith(1007, [frame(Opcode.close, Buffer.from([0x03, 0xe8, 0xff, 0xfe]))]));
  row('adv_W26 data behind CLOSE is ignored', async () => {
    const socket = await open();
    await socket.write(Buffer.concat([closeFrame(1000), text('too late'), frame(15, 'worse')]));
    await expectClose(socket, 1000);
    assert.equal(await socket.next(), undefined);
  });
  row('adv_W28 5,000 pings in a burst are answered while the client reads', async () => {
    const socket = await open();
    await socket.write(Buffer.concat(Array.from({ length: 5_000 }, (_, i) => ping(String(i)))));
    const pongs = (await socket.pongs.take(5_000)).map(String);
    assert.deepEqual(pongs, Array.from({ length: 5_000 }, (_, i) => String(i)));
    socket.destroy();
  }, { rss: 4 * kMegabyte });
  row('adv_W37 data sent before our 101', async () => {
    const small = await open({ behind: text('early') });
    assert.equal(await small.next(), 'early');
    const large = await open({ behind: text('e'.repeat(100_000)) });
    assert.equal((await large.next()).length, 100_000);
    for (const socket of [small, large]) socket.destroy();
  });
  row('adv_W38 a CLOSE that is never answered ends the stream after about 2 s; FIN and RST end it at once', async () => {
    const descriptors = server.openDescriptors();
    const silent = await open({ answerClose: false });
    await silent.write(text('x', { rsv: 7 }));
    assert.equal((await silent.waitForClose()).code, 1002);
    silent.stream.socket.allowHalfOpen = true;
    const [halfClosed, reset] = [await open(), await open()];
    halfClosed.stream.socket.end();
    await halfClosed.stream.waitForEnd();
    reset.reset();
    assert.ok(await eventually(() => server.openDescriptors() <= descriptors, 4_000), 'a stream is left open');
    silent.destroy();
  });
  row('adv_W39 random frames, 300 connections from one seed', async () => {
    const random = seeded(39);
    for (let i = 0; i < 300; i += 1) {
      const socket = await open();
      const garbage = Buffer.from(Array.from({ length: 1 + random(200) }, () => random(256)));
      await socket.write(garbage);
      if (random(2) === 0) socket.reset();
      else {
        socket.stream.socket.end();
        await socket.stream.waitForEnd(8_000);
      }
    }
  });
});

describe('2b limits of one message', () => {
  const { server, row } = useTarget('client');
  const kLimit = 1_000_000;
  const open = async () => {
    const socket = await RawWebSocket.open(server.port, '/socket.io/?EIO=4&transport=websocket');
    await socket.next();
    return socket;
  };
  const padded = (length) => `42["nobody","${'x'.repeat(length - '42["nobody",""]'.length)}"]`;

  row('adv_W20 a message of exactly maxPayload', async () => {
    const socket = await open();
    await socket.send('40');
    await socket.next();
    await socket.send(padded(kLimit));
    await socket.send('421["echo","alive"]');
    assert.equal(await socket.next(), '431["alive"]');
    socket.destroy();
  });
  row('adv_W21 one byte over maxPayload', async () => {
    const socket = await open();
    await socket.send(padded(kLimit + 1));
    await expectClose(socket, 1009);
  });
  row('adv_W22 fragments whose sum is over maxPayload', async () => {
    const socket = await open();
    await socket.write(text('4'.repeat(600_000), { fin: false }));
    await socket.write(frame(Opcode.continuation, 'x'.repeat(400_001)));
    await expectClose(socket, 1009);
  });
  row('adv_W27 20,000 empty fragments', async () => {
    const socket = await open();
    const empty = frame(Opcode.continuation, '', { fin: false });
    await socket.write(Buffer.concat([text('', { fin: false }), ...Array(20_000).fill(empty)]));
    await expectClose(socket, 1008);
  }, { rss: 4 * kMegabyte });
});

describe('2b permessage-deflate', () => {
  const { server, row } = useTarget('websocket');
  const open = async () => {
    const socket = await RawWebSocket.open(server.port, '/', { headers: kDeflate });
    assert.match(socket.response.headers['sec-websocket-extensions'], /^permessage-deflate/);
    return socket;
  };

  row('adv_W33 a deflate stream that is garbage', async () => {
    for (const bytes of [Buffer.from('ffffffffffff', 'hex'), Buffer.from('not deflate at all'), Buffer.from([0x07]), deflated('x'.repeat(1_000)).subarray(2)]) {
      const socket = await open();
      await socket.write(text(bytes, { rsv: 4 }));
      await expectClose(socket, 1007);
    }
  });
  row('adv_W33b RSV1 on a continuation or a control frame', async () => {
    for (const bytes of [
      Buffer.concat([text('a', { fin: false }), frame(Opcode.continuation, 'b', { rsv: 4 })]),
      ping('x', { rsv: 4 }),
      frame(Opcode.close, '', { rsv: 4 }),
    ]) {
      const socket = await open();
      await socket.write(bytes);
      await expectClose(socket, 1002);
    }
  });
  row('adv_W33c an empty payload, a single 00, a final block: all messages', async () => {
    const finalBlock = deflateRawSync('final', { finishFlush: constants.Z_FINISH });
    for (const [bytes, message] of [[Buffer.alloc(0), ''], [Buffer.from([0]), ''], [finalBlock, 'final']]) {
      const socket = await open();
      await socket.write(text(bytes, { rsv: 4 }));
      assert.equal(await socket.next(), message);
      socket.destroy();
    }
  });
  row('adv_W33d offers that break the rules are declined or refused', async () => {
    for (const offer of [
      'permessage-deflate; client_max_window_bits=99',
      'permessage-deflate; server_max_window_bits=7',
      'permessage-deflate; server_max_window_bits',
      'permessage-deflate; client_no_context_takeover; client_no_context_takeover',
      'permessage-deflate; unknown_parameter',
      'permessage-deflate; client_no_context_takeover=1',
      'permessage-deflate; server_max_window_bits=010',
    ]) {
      const socket = await RawWebSocket.open(server.port, '/', { headers: { 'Sec-WebSocket-Extensions': offer } });
      assert.ok([101, 400].includes(socket.response.status));
      assert.equal(socket.response.headers['sec-websocket-extensions'], undefined, offer);
      socket.destroy();
    }
    const foreign = await RawWebSocket.open(server.port, '/', { headers: { 'Sec-WebSocket-Extensions': 'x-webkit-deflate-frame' } });
    assert.equal(foreign.response.status, 101);
    assert.equal(foreign.response.headers['sec-websocket-extensions'], undefined);
    foreign.destroy();
  });
  row('adv_W33e the second of two offers is taken when the first is impossible', async () => {
    const offers = 'permessage-deflate; server_max_window_bits=99, permessage-deflate';
    const socket = await RawWebSocket.open(server.port, '/', { headers: { 'Sec-WebSocket-Extensions': offers } });
    assert.ok([101, 400].includes(socket.response.status));
    socket.destroy();
  });
  // The role takes 64 MiB, so that is what one message may cost; the bomb holds 100 MB or 1 GB.
  for (const megabytes of [100, 1_000]) {
    row(`adv_W34 a bomb of ${megabytes} MB`, async () => {
      const socket = await open();
      await socket.write(binary(bomb(megabytes), { rsv: 4 }));
      await expectClose(socket, 1009, 20_000);
    }, { rss: 2 * 64 * kMegabyte });
  }
  row('adv_W35 no context takeover by default: equal messages are equal frames', async () => {
    const socket = await RawWebSocket.open(server.port, '/', { headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } });
    for (let i = 0; i < 2; i += 1) await socket.send('the same text again and again. '.repeat(100));
    const [first, second] = await socket.frames.take(2);
    assert.equal(first.rsv, 4);
    assert.deepEqual(first.payload, second.payload);
    socket.destroy();
  });
});

describe('2b handshakes', () => {
  const { server, row } = useTarget('websocket');
  const kKey = 'Sec-WebSocket-Key';

  row('adv_W36 a version that is not 13', async () => {
    for (const version of ['8', '0', '14', 'abc', '13, 8']) {
      const answer = await expectStatus(server, upgradeRequest('/', { 'Sec-WebSocket-Version': version }), 426);
      assert.equal(answer.headers['sec-websocket-version'], '13');
    }
    await expectStatus(server, upgradeRequest('/', { 'Sec-WebSocket-Version': undefined }), [400, 426]);
  });
  row('adv_W36b keys that are missing or not 16 bytes', async () => {
    for (const key of [undefined, '', 'short', Buffer.alloc(15).toString('base64'), Buffer.alloc(17).toString('base64'), '!'.repeat(24), 'A'.repeat(24)]) {
      await expectStatus(server, upgradeRequest('/', { [kKey]: key }), 400);
    }
  });
  row('adv_W36c POST, Connection without upgrade, no Upgrade', async () => {
    await expectStatus(server, upgradeRequest('/', {}, 'POST'), [400, 405]);
    await expectStatus(server, upgradeRequest('/', { Connection: 'keep-alive' }), [400, 426]);
    await expectStatus(server, upgradeRequest('/', { Upgrade: undefined }), [400, 426]);
    await expectStatus(server, upgradeRequest('/', { Upgrade: 'h2c' }), [400, 426]);
    await expectStatus(server, upgradeRequest('/').replace('HTTP/1.1', 'HTTP/1.0'), 400);
  });
  row('adv_W36d two keys, two versions', async () => {
    const twice = (line) => upgradeRequest('/').replace(/\r\n$/, `${line}\r\n\r\n`);
    await expectStatus(server, twice(`${kKey}: ${Buffer.alloc(16).toString('base64')}`), [400, 101]);
    await expectStatus(server, twice('Sec-WebSocket-Version: 8'), [400, 426, 101]);
  });
  row('adv_W37b a handshake that ends in the middle', async () => {
    const request = upgradeRequest('/');
    for (let at = 1; at < request.length; at += 11) {
      const stream = await RawTcp.connect(server.port);
      await stream.write(request.slice(0, at));
      stream.socket.end();
      await stream.waitForEnd();
    }
  });
});
