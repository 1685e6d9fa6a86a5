// test/adversarial/http.test.mjs - catalogue 2a (H01 to H39, H55, H56) and advisories C01 to C04: HTTP/1.1 as it must not be.
// The rows that are about time (H50 to H54) are in slow.test.mjs.
import { describe } from 'node:test';
import assert from 'node:assert/strict';
import { PollingSession } from '../e2e/polling.mjs';
import { eventually } from '../e2e/harness.mjs';
import { RawTcp, RawWebSocket, upgradeRequest } from '../e2e/wire.mjs';
import { expectStatus, seeded, useTarget } from './gauntlet.mjs';

const kTarget = '/engine.io/?EIO=4&transport=polling';
const kUpgradeTarget = '/engine.io/?EIO=4&transport=websocket';
const { server, row } = useTarget('engineio');

// A request that would be answered 200 but for `lines` and the body behind them.
const get = (lines = '', { target = kTarget, body = '', host = 'Host: localhost\r\n', version = 'HTTP/1.1' } = {}) =>
  Buffer.from(`GET ${target} ${version}\r\n${host}${lines}\r\n${body}`, 'latin1');

const refused = (vectors, statuses = 400, options = { closes: true }) => async () => {
  for (const bytes of vectors) await expectStatus(server, bytes, statuses, options);
};

// A chunked POST to a live session; `body` is everything behind the head.
async function postChunked(body, statuses, options) {
  const session = await PollingSession.open(server);
  const head = `POST ${session.target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n`;
  return expectStatus(server, Buffer.from(head + body, 'latin1'), statuses, options);
}
const chunksRefused = (bodies, statuses = 400) => async () => {
  for (const body of bodies) await postChunked(body, statuses, { closes: true });
};
const kGoodChunks = '6\r\n4hello\r\n0\r\n\r\n';

describe('2a request framing', () => {
  row('adv_H00 the requests these rows spoil are fine without the spoiling', async () => {
    await expectStatus(server, get(), 200);
    await postChunked(kGoodChunks, 200);
  });
  row('adv_H01 Content-Length beside Transfer-Encoding', refused([
    get('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', { body: '0\r\n\r\n' }),
    get('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', { body: '0\r\n\r\n' }),
  ]));
  row('adv_H02 two different Content-Length', refused([get('Content-Length: 5\r\nContent-Length: 6\r\n', { body: 'helloo' })]));
  row('adv_H03 two equal Content-Length', refused([
    get('Content-Length: 5\r\nContent-Length: 5\r\n', { body: 'hello' }),
    get('Content-Length: 5, 5\r\n', { body: 'hello' }),
  ]));
  row('adv_H04 transfer codings that are not exactly `chunked`', refused(
    ['xchunked', 'chunked, identity', 'chunked, chunked', '\x0bchunked', 'identity', '"chunked"', 'chunked;q=1']
      .map((coding) => get(`Transfer-Encoding: ${coding}\r\n`, { body: '0\r\n\r\n' })),
    [400, 501],
  ));
  row('adv_H05 Transfer-Encoding with a blank before the colon', refused([get('Transfer-Encoding : chunked\r\n', { body: '0\r\n\r\n' })]));
  row('adv_H06 a blank before the colon', refused([get('X-Test : 1\r\n'), get('X-Test\t: 1\r\n')]));
  row('adv_H07 a folded header', refused([get('X-Test: a\r\n b\r\n'), get('X-Test: a\r\n\tb\r\n')]));
  row('adv_H08 lines ended by LF alone', refused([
    Buffer.from(`GET ${kTarget} HTTP/1.1\nHost: localhost\n\n`),
    Buffer.from(`GET ${kTarget} HTTP/1.1\r\nHost: localhost\nX-Test: 1\r\n\r\n`),
    Buffer.from(`GET ${kTarget} HTTP/1.1\r\nHost: localhost\r\n\n`),
  ]));
  row('adv_H09 a bare CR', refused([get('X-Test: a\rb\r\n'), get('X-Test: a\r\rb\r\n')]));
  row('adv_H10 NUL and control characters in a value or name', refused(
    ['X-Test: a\0b', 'X-Test: a\x01b', 'X-Test: \x7f', 'X-\0Test: a', 'X-Te\x80st: a', ': a', ' X-Test: a', 'X-Test', 'X Test: a']
      .map((line) => get(`${line}\r\n`)),
  ));
  row('adv_H11 Content-Length that is no number', refused(
    ['-1', '+5', '0x5', '5 5', '', '5,', '1e1', '5.0', '٥'].map((length) => get(`Content-Length: ${length}\r\n`, { body: 'hello' })),
  ));
  row('adv_H12 Content-Length of 2^63', refused([get('Content-Length: 9223372036854775808\r\n')], [400, 413]));
  row('adv_H13 Content-Length of 2^64 and beyond', refused([
    get('Content-Length: 18446744073709551616\r\n'),
    get('Content-Length: 18446744073709551621\r\n'),
    get(`Content-Length: ${'9'.repeat(100)}\r\n`),
  ]));
  row('adv_H14 no Host, or two', refused([get('', { host: '' }), get('Host: localhost\r\n'), get('Host: other\r\n')]));
  row('adv_H15 Host with a blank, @ or /', refused(['a b', 'user@host', 'a/b', 'a\\b', 'a?b', 'a#b'].map((host) => get('', { host: `Host: ${host}\r\n` }))));
  row('adv_H16 HTTP/1.0 is answered without chunks, then closed', async () => {
    const answer = await expectStatus(server, get('', { version: 'HTTP/1.0' }), 200, { closes: true });
    assert.equal(answer.headers['transfer-encoding'], undefined);
    assert.match(answer.body, /^0\{/);
  });
  row('adv_H17 the HTTP/2 preface', refused([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')], [505, 400]));
  row('adv_H18 HTTP/9.9 and versions that are none', async () => {
    await refused([get('', { version: 'HTTP/9.9' }), get('', { version: 'HTTP/2.0' })], [505, 400])();
    await refused(['HTTP/1.', 'HTTP/1.11', 'http/1.1', 'HTTP/-1.1', 'HTTPS/1.1', 'HTTP/1.1 x'].map((version) => get('', { version })), [400, 505])();
  });
  row('adv_H19 absolute-form targets are routed by their path', async () => {
    for (const authority of ['localhost', 'foreign.example', 'foreign.example:8080']) {
      await expectStatus(server, get('', { target: `http://${authority}${kTarget}` }), 200);
    }
  });
  row('adv_H20 OPTIONS *', async () => {
    await expectStatus(server, Buffer.from('OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n'), 204);
  });
  row('adv_H21 TRACE', refused([Buffer.from(`TRACE ${kTarget} HTTP/1.1\r\nHost: localhost\r\n\r\n`)], 405, {}));
  row('adv_H22 CONNECT', refused([Buffer.from('CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n')], 405, {}));
});

describe('2a limits', () => {
  const headers = (count) => Array.from({ length: count }, (_, i) => `X-${i}: 1\r\n`).join('');
  row('adv_H23 100 headers are served, 101 and 150 are 431', async () => {
    await expectStatus(server, get(headers(99)), 200);
    await refused([get(headers(100)), get(headers(149))], 431)();
  });
  row('adv_H24 1,500 and 2,001 headers', refused([get(headers(1_499)), get(headers(2_000))], 431));
  row('adv_H25 a header line of 9 KB', async () => {
    await expectStatus(server, get(`X-Long: ${'x'.repeat(7_000)}\r\n`), 200);
    await refused([get(`X-Long: ${'x'.repeat(9 * 1024)}\r\n`)], 431)();
  });
  row('adv_H26 a head of more than 16 KB', refused([
    get(`X-Long: ${'x'.repeat(17 * 1024)}\r\n`),
    get(Array.from({ length: 5 }, (_, i) => `X-${i}: ${'x'.repeat(4_000)}\r\n`).join('')),
  ], 431));
  row('adv_H27 a target of more than 8 KB', async () => {
    await expectStatus(server, get('', { target: `${kTarget}&pad=${'x'.repeat(6_000)}` }), 200);
    await refused([9, 20].map((kilobytes) => get('', { target: `${kTarget}&pad=${'x'.repeat(kilobytes * 1024)}` })), 414)();
  });
});

describe('2a chunked bodies', () => {
  const extension = (bytes) => `6;${'x'.repeat(bytes)}\r\n4hello\r\n0\r\n\r\n`;
  row('adv_H28 chunk sizes that overflow or are no hexadecimal number', async () => {
    await chunksRefused(['5g', '0x5', '-5', '+5', ' 5', '', ';x', '5 ', 'z'].map((size) => `${size}\r\n4hell\r\n0\r\n\r\n`))();
    await chunksRefused([`${'f'.repeat(17)}\r\n`, `1${'0'.repeat(16)}6\r\n4hello\r\n0\r\n\r\n`, `${'f'.repeat(16)}\r\n4hello`, 'fffffffffffffffe\r\n'], [400, 413])();
  });
  row('adv_H29 chunk extensions: 64 KB refused, a short token accepted', async () => {
    await postChunked('6;a=b\r\n4hello\r\n0\r\n\r\n', 200);
    await chunksRefused([extension(64 * 1024), extension(300)])();
    const many = Array.from({ length: 10 }, () => `1;${'x'.repeat(200)}\r\n4\r\n`).join('');
    await chunksRefused([`${many}0\r\n\r\n`])();
  });
  row('adv_H30 LF alone in chunk lines, or no CRLF after the data', chunksRefused([
    '6\n4hello\r\n0\r\n\r\n', '6\r\n4hello\n0\r\n\r\n', '6\r\n4helloX\r\n0\r\n\r\n', '6\r\n4hello0\r\n\r\n', '6\r\n4hello\r\n0\n\n', '6\r4hello\r\n0\r\n\r\n',
  ]));
  row('adv_H31 trailers: framing headers refused, others read and dropped', async () => {
    const trailed = (lines) => `6\r\n4hello\r\n0\r\n${lines}\r\n`;
    await postChunked(trailed('X-Checksum: 1\r\n'), 200);
    await chunksRefused(['Content-Length: 5\r\n', 'Host: other\r\n', 'Transfer-Encoding: chunked\r\n', 'broken\r\n', 'X-A : 1\r\n'].map(trailed))();
    await chunksRefused([trailed(`X-Long: ${'x'.repeat(2_000)}\r\n`)], [400, 431])();
  });
});

describe('2a requests as a whole', () => {
  const upgradeWithBody = (lines, body) => Buffer.from(upgradeRequest(kUpgradeTarget).replace(/\r\n$/, `${lines}\r\n${body}`), 'latin1');
  row('adv_H32 an upgrade with a body', refused([
    upgradeWithBody('Content-Length: 5\r\n', 'hello'),
    upgradeWithBody('Transfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  ]));
  row('adv_H33 pipelined requests, 2 and 10,000, are answered in order', async () => {
    for (const count of [2, 10_000]) {
      const stream = await RawTcp.connect(server.port);
      const preflight = (i) => `OPTIONS ${kTarget} HTTP/1.1\r\nHost: localhost\r\nOrigin: http://a.example\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-${i}\r\n\r\n`;
      stream.write(Array.from({ length: count }, (_, i) => preflight(i)).join(''));
      for (let i = 0; i < count; i += 1) {
        const answer = await stream.response(20_000);
        assert.equal(answer.headers['access-control-allow-headers'], `x-${i}`);
      }
      stream.destroy();
    }
  });
  row('adv_H34 paths with NUL, bad escapes, dots and slashes', async () => {
    const behind = '?EIO=4&transport=polling';
    await refused(['/engine.io/%00', '/%00', '/engine.io/%ZZ', '/%', '/%4'].map((path) => get('', { target: path + behind })), 400, {})();
    const harmless = ['/engine.io/../admin', '/%2e%2e/%2e%2e/etc/passwd', '//engine.io/', '/engine.io/%c0%af', '/..%2f..%2fetc%2fpasswd', '/../../etc/passwd'];
    for (const path of harmless) {
      const { body } = await expectStatus(server, get('', { target: path }), [400, 404]);
      assert.ok(!body.includes('root:'));
    }
  });
  row('adv_H35 random bytes', async () => {
    const random = seeded(35);
    for (let i = 0; i < 50; i += 1) {
      const bytes = Buffer.from(Array.from({ length: 2_000 }, () => random(256)));
      await expectStatus(server, Buffer.concat([bytes, Buffer.from('\r\n\r\n')]), [400, 431], { closes: true });
    }
  });
  row('adv_H36 other protocols on this port', refused([
    Buffer.from('16030100f8010000f40303', 'hex'),
    Buffer.from('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'),
    Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    Buffer.from('\r\n\r\n\r\nGARBAGE\r\n\r\n'),
    Buffer.from('*1\r\n$4\r\nPING\r\n'),
  ]));
  row('adv_H37 Expect: 100-continue gets the final status, other expectations 417', async () => {
    const post = (expect) => Buffer.from(`POST ${kTarget} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: ${expect}\r\n\r\n`);
    const answer = await expectStatus(server, post('100-continue'), 400);
    assert.deepEqual(JSON.parse(answer.body), { code: 2, message: 'Bad handshake method' });
    await expectStatus(server, post('a miracle'), 417);
  });
  row('adv_H38 a lowercase method, and methods that are no token', refused(
    ['get', 'G\0T', 'GE T', '', '(GET)'].map((method) => Buffer.from(`${method} ${kTarget} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 'latin1')),
  ));
  row('adv_H39 nothing the client sent splits an answer', async () => {
    const vectors = [
      get('', { target: `${kTarget}&sid=%0d%0aX-Injected:%201` }),
      get('', { target: `/engine.io/?EIO=4&transport=%0d%0aX-Injected:%201` }),
      get('', { target: '/%0d%0aX-Injected:%201' }),
      get('Origin: http://a.example%0d%0aX-Injected: 1\r\n'),
    ];
    for (const bytes of vectors) {
      const { headers, body } = await expectStatus(server, bytes, [200, 400, 404]);
      assert.equal(headers['x-injected'], undefined);
      assert.ok(!body.includes('\r\n'));
    }
  });
  row('adv_H55 a thousand connections from one address (the limit is off by default)', async () => {
    const before = server.openDescriptors();
    const streams = await Promise.all(Array.from({ length: 1_000 }, () => RawTcp.connect(server.port)));
    await expectStatus(server, get(), 200);
    for (const stream of streams) stream.reset();
    assert.ok(await eventually(() => server.openDescriptors() <= before + 5));
  });
  row('adv_H56 a compressed request body', async () => {
    for (const encoding of ['gzip', 'deflate', 'br']) {
      const session = await PollingSession.open(server);
      assert.equal((await session.post('4x', { headers: { 'Content-Encoding': encoding } })).status, 415);
    }
  });
});

describe('1c HTTP advisories', () => {
  row('adv_C01 an upgrade with a body is no way to smuggle a request', async () => {
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const request = upgradeRequest(kUpgradeTarget, { 'Content-Length': String(smuggled.length) });
    await expectStatus(server, Buffer.from(request + smuggled), 400, { closes: true });
    await expectStatus(server, Buffer.from(upgradeRequest(kUpgradeTarget, { 'Transfer-Encoding': 'chunked' })), 400, { closes: true });
    const empty = await RawWebSocket.open(server.port, kUpgradeTarget, { headers: { 'Content-Length': '0' } });
    assert.equal(empty.response.status, 101);
    empty.destroy();
  });
  row('adv_C02 a bare LF in a chunk line or its extension', chunksRefused([
    '6\n4hello\r\n0\r\n\r\n', '6;a\nb\r\n4hello\r\n0\r\n\r\n', '6;a=\n\r\n4hello\r\n0\r\n\r\n', '6;\r\r\n4hello\r\n0\r\n\r\n', '6;a=b\n4hello\r\n0\r\n\r\n',
  ]));
  row('adv_C03 LF-only head end, blank before the colon, chunk extensions', async () => {
    await refused([Buffer.from(`GET ${kTarget} HTTP/1.1\r\nHost: localhost\n\n`), get('X-A : b\r\n')])();
    await chunksRefused([`6;${'e'.repeat(257)}\r\n4hello\r\n0\r\n\r\n`, '6;"unclosed\r\n4hello\r\n0\r\n\r\n'])();
  });
  row('adv_C04 HTTP/1.0: chunked is refused, the connection always closes', async () => {
    await refused([get('Transfer-Encoding: chunked\r\n', { version: 'HTTP/1.0', body: '0\r\n\r\n' })])();
    await expectStatus(server, get('Connection: keep-alive\r\n', { version: 'HTTP/1.0' }), 200, { closes: true });
    await refused([get('', { version: 'HTTP/1.00' }), get('', { version: 'HTTP/1.0a' })], [400, 505])();
  });
});
