// test/e2e/raw_websocket.test.mjs - RFC 6455 and RFC 7692 with the `ws` client and by hand, against role `websocket`.
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createHash } from 'node:crypto';
import WebSocket from 'ws';
import { useFixture, once, tidewireOnly } from './harness.mjs';
import { binary, closeFrame, frame, Opcode, ping, RawTcp, RawWebSocket, text, upgradeRequest } from './wire.mjs';

const server = useFixture('websocket');

const open = async (options = {}) => {
  const socket = new WebSocket(`${server.webSocketUrl}/any/path?x=1`, { perMessageDeflate: false, maxPayload: 80 * 1024 * 1024, ...options });
  await once(socket, 'open');
  return socket;
};
const echo = async (socket, message, options) => {
  socket.send(message, options);
  const [data, isBinary] = await once(socket, 'message', 60_000);
  return { data, isBinary };
};

describe('handshake', () => {
  it('proves that the key was read', async () => {
    const socket = await RawWebSocket.open(server.port, '/', { headers: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' } });
    assert.equal(socket.response.status, 101);
    assert.equal(socket.response.headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    assert.match(socket.response.headers.upgrade, /^websocket$/i);
    assert.match(socket.response.headers.connection, /^upgrade$/i);
    socket.destroy();
  });

  it('works on any path, with header names in any case and Connection as a list', async () => {
    const headers = { Connection: 'keep-alive, UPGRADE', Upgrade: 'WebSocket' };
    const socket = await RawWebSocket.open(server.port, '/a/b/c?d=e', { headers });
    await socket.send('hello');
    assert.equal(await socket.next(), 'hello');
    socket.destroy();
  });

  it('may arrive cut at any byte', async () => {
    const request = upgradeRequest('/cut');
    for (let at = 1; at < request.length; at += 7) {
      const stream = await RawTcp.connect(server.port);
      await stream.writeSplit(request, at);
      assert.equal((await stream.response()).status, 101);
      stream.destroy();
    }
  });
});

describe('echo', () => {
  for (const size of [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000]) {
    it(`of ${size} bytes, text and binary`, async () => {
      const socket = await open();
      const bytes = randomBytes(size);
      const binaryEcho = await echo(socket, bytes);
      assert.ok(binaryEcho.isBinary && bytes.equals(binaryEcho.data));
      const words = 'ä'.repeat(size / 2);
      const textEcho = await echo(socket, words);
      assert.ok(!textEcho.isBinary && textEcho.data.toString() === words);
      socket.terminate();
    });
  }

  it('of 64 MiB to the byte', { timeout: 120_000 }, async () => {
    const socket = await open();
    const bytes = Buffer.alloc(64 * 1024 * 1024, 'tidewire');
    const { data, isBinary } = await echo(socket, bytes);
    assert.ok(isBinary);
    const digest = (of) => createHash('sha1').update(of).digest('hex');
    assert.equal(digest(data), digest(bytes));
    socket.terminate();
  });

  it('keeps the order of a thousand messages in flight', async () => {
    const socket = await RawWebSocket.open(server.port);
    await socket.write(Buffer.concat(Array.from({ length: 1000 }, (_, i) => text(String(i)))));
    assert.deepEqual(await socket.messages.take(1000), Array.from({ length: 1000 }, (_, i) => String(i)));
    socket.destroy();
  });
});

describe('fragments', () => {
  it('make one message, with control frames in between', async () => {
    const socket = await RawWebSocket.open(server.port);
    await socket.write(Buffer.concat([
      text('one ', { fin: false }),
      ping('p'),
      frame(Opcode.continuation, 'two ', { fin: false }),
      frame(Opcode.continuation, '', { fin: false }),
      frame(Opcode.continuation, 'three'),
    ]));
    assert.equal(await socket.next(), 'one two three');
    assert.equal((await socket.pongs.next()).toString(), 'p');
    socket.destroy();
  });

  it('may be any number', async () => {
    const socket = await RawWebSocket.open(server.port);
    const count = 20_000;
    const middle = frame(Opcode.continuation, 'x', { fin: false });
    await socket.write(Buffer.concat([binary('x', { fin: false }), ...Array(count).fill(middle), frame(Opcode.continuation, '')]));
    assert.equal((await socket.next()).length, count + 1);
    socket.destroy();
  });

  it('may cut a UTF-8 character', async () => {
    const socket = await RawWebSocket.open(server.port);
    const bytes = Buffer.from('κόσμε 😀');
    for (let at = 0; at <= bytes.length; at += 1) {
      socket.write(text(bytes.subarray(0, at), { fin: false }));
      socket.write(frame(Opcode.continuation, bytes.subarray(at)));
      assert.equal(await socket.next(), 'κόσμε 😀');
    }
    socket.destroy();
  });

  it('a frame may arrive cut at any byte', async () => {
    const socket = await RawWebSocket.open(server.port);
    for (const message of [text('short'), binary('b'.repeat(130))]) {
      for (let at = 1; at < message.length; at += 1) {
        await socket.stream.writeSplit(message, at);
        assert.match((await socket.next()).toString(), /^(short|b{130})$/);
      }
    }
    socket.destroy();
  });
});

describe('ping', () => {
  it('is answered with the same bytes', async () => {
    const socket = await RawWebSocket.open(server.port);
    for (const payload of [Buffer.alloc(0), Buffer.from([0, 255, 1]), randomBytes(125)]) {
      await socket.write(ping(payload));
      assert.deepEqual(await socket.pongs.next(), payload);
    }
    socket.destroy();
  });

  it('an unasked pong is ignored', async () => {
    const socket = await RawWebSocket.open(server.port);
    await socket.write(frame(Opcode.pong, 'unasked'));
    await socket.send('alive');
    assert.equal(await socket.next(), 'alive');
    socket.destroy();
  });
});

describe('close', () => {
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]) {
    it(`code ${code} is echoed`, async () => {
      const socket = await open();
      socket.close(code, 'because');
      const [seen] = await once(socket, 'close');
      assert.equal(seen, code);
    });
  }

  it('without code is answered without code, then the stream ends', async () => {
    const socket = await RawWebSocket.open(server.port, '/', { answerClose: false });
    await socket.write(closeFrame());
    assert.equal((await socket.waitForClose()).code, 1005);
    await socket.stream.waitForEnd();
  });

  it('lets messages before it come back first', async () => {
    const socket = await RawWebSocket.open(server.port);
    await socket.write(Buffer.concat([text('last'), closeFrame(1000)]));
    assert.equal(await socket.next(), 'last');
    assert.equal((await socket.waitForClose()).code, 1000);
  });
});

describe('permessage-deflate', () => {
  for (const [what, options] of [
    ['as offered by ws', { threshold: 0 }],
    ['without context takeover', { threshold: 0, clientNoContextTakeover: true, serverNoContextTakeover: true }],
    ['with small windows', { threshold: 0, clientMaxWindowBits: 9, serverMaxWindowBits: 9 }],
  ]) {
    it(`${what}: messages survive`, async () => {
      const socket = await open({ perMessageDeflate: options });
      assert.match(socket.extensions, /^permessage-deflate/);
      for (const message of ['', 'a', 'hello '.repeat(10_000), 'hello '.repeat(10_000), randomBytes(70_000).toString('hex')]) {
        assert.equal((await echo(socket, message)).data.toString(), message);
      }
      const bytes = randomBytes(300_000);
      assert.ok(bytes.equals((await echo(socket, bytes)).data));
      socket.terminate();
    });
  }

  it('makes long text shorter', tidewireOnly, async () => {
    const socket = await RawWebSocket.open(server.port, '/', { headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } });
    assert.match(socket.response.headers['sec-websocket-extensions'], /^permessage-deflate/);
    await socket.send('compressible '.repeat(1000));
    const { rsv, payload } = await socket.frames.next();
    assert.equal(rsv, 4);
    assert.ok(payload.length < 1000);
    socket.destroy();
  });

  it('is not there when nobody asked', async () => {
    const socket = await RawWebSocket.open(server.port);
    assert.equal(socket.response.headers['sec-websocket-extensions'], undefined);
    socket.destroy();
  });
});
