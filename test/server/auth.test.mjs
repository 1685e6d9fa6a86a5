// test/server/auth.test.mjs - who comes in: tokens wherever they may be shown, every issuer, refusals of both dialects, the end of
// a token under a live socket.
import { before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { exportJWK, exportSPKI, generateKeyPair } from 'jose';
import {
  connect, eventually, file, kSecret, nothingReaches, kMark, pause, plain, plainRefusal, Program, refusal, remember, token, useBackEnd,
  useProgram, withTimeout,
} from './harness.mjs';

const kWhoAmI = `
[[events]]
name = "who-am-i"
reply = { id = "{sender.id}", name = "{sender.name}", email = "{sender.email}", team = "{claims.team}" }
`;
const whoIs = async (client) => (await client.ask('who-am-i')).id;

describe('a token of the shared secret', () => {
  const program = useProgram({
    shards: 2,
    env: { JWT_SECRET: kSecret },
    toml: `
[auth]
leeway = "0s"
${kWhoAmI}
[[namespaces]]
name = "/private"
anonymous = false
[[namespaces]]
pattern = "/org-[a-z]+"
anonymous = false
[[namespaces]]
name = "/org-open"
anonymous = true
`,
  });

  describe('is taken', () => {
    it('from the auth payload of Socket.IO, by WebSocket and by polling', async () => {
      for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
        assert.equal(await whoIs(await connect(program, { token: await token({ userId: 'ada' }), transports })), 'ada');
      }
    });

    it('from the Authorization header, by both dialects', async () => {
      const extraHeaders = { Authorization: `Bearer ${await token({ userId: 'ada' })}` };
      for (const transports of [['polling'], ['websocket']]) {
        assert.equal(await whoIs(await connect(program, { extraHeaders, transports })), 'ada');
      }
      assert.equal(await whoIs(await plain(program, { headers: extraHeaders })), 'ada');
    });

    it('from the cookie among others, by both dialects', async () => {
      const extraHeaders = { Cookie: `theme=dark; token=${await token({ userId: 'ada' })}; tokens=none` };
      assert.equal(await whoIs(await connect(program, { extraHeaders, transports: ['polling'] })), 'ada');
      assert.equal(await whoIs(await plain(program, { headers: extraHeaders })), 'ada');
    });

    it('from ?token=, by both dialects', async () => {
      const shown = await token({ userId: 'ada' });
      assert.equal(await whoIs(await connect(program, { query: { token: shown } })), 'ada');
      for (const path of ['/', '/ws', '/api/ws']) {
        assert.equal(await whoIs(await plain(program, { path: `${path}?token=${shown}` })), 'ada');
      }
    });

    it('from the first place of the configured order where there is one', async () => {
      const of = (userId) => token({ userId });
      const headers = { Authorization: `Bearer ${await of('header')}`, Cookie: `token=${await of('cookie')}` };
      const query = { token: await of('query') };
      const transports = ['polling'];
      assert.equal(await whoIs(await connect(program, { token: await of('auth'), extraHeaders: headers, query, transports })), 'auth');
      assert.equal(await whoIs(await connect(program, { extraHeaders: headers, query, transports })), 'header');
      assert.equal(await whoIs(await connect(program, { extraHeaders: { Cookie: headers.Cookie }, query, transports })), 'cookie');
      assert.equal(await whoIs(await plain(program, { path: `/?token=${query.token}`, headers })), 'header');
      assert.equal(await whoIs(await plain(program, { path: `/?token=${query.token}`, headers: { Cookie: headers.Cookie } })), 'cookie');
    });

    it('with its claims: `sub` for want of `userId`, the name, the address, and any other', async () => {
      const client = await connect(program, { token: await token({ sub: 7, name: 'Ada', email: 'ada@example.com', team: 'blue' }) });
      assert.deepEqual(await client.ask('who-am-i'), { ok: true, id: '7', name: 'Ada', email: 'ada@example.com', team: 'blue' });
      const both = await connect(program, { token: await token({ sub: 'subject', userId: 'user' }) });
      assert.equal(await whoIs(both), 'user');
    });

    it('with HS384 and HS512 as well', async () => {
      for (const alg of ['HS384', 'HS512']) {
        assert.equal(await whoIs(await connect(program, { token: await token({ userId: 'ada' }, { alg }) })), 'ada');
      }
    });

    it('or there is none, and the client is nobody', async () => {
      assert.equal(await whoIs(await connect(program)), null);
      assert.equal(await whoIs(await plain(program)), null);
    });
  });

  describe('is refused', () => {
    const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const soon = () => Math.floor(Date.now() / 1000) + 600;
    const unsigned = (alg) => remember(`${encoded({ alg })}.${encoded({ userId: 'ada', exp: soon() })}.bm90IGEgc2lnbmF0dXJl`);
    const cases = [
      ['of another secret', 'token_invalid', () => token({ userId: 'ada' }, { secret: 'another secret, which is long enough too' })],
      ['that is expired', 'token_expired', () => token({ userId: 'ada' }, { exp: -1 })],
      ['without an end', 'token_invalid', () => token({ userId: 'ada' }, { exp: null })],
      ['that is good only later', 'token_not_yet_valid', () => token({ userId: 'ada', nbf: soon() })],
      ['that says alg none', 'token_invalid', () => unsigned('none')],
      ['that says alg nOnE', 'token_invalid', () => unsigned('nOnE')],
      ['with a crit header', 'token_invalid', () => token({ userId: 'ada' }, { header: { crit: ['b64'], b64: true } })],
      ['that names no user', 'token_invalid', () => token({ name: 'Ada' })],
      ['whose user is no text', 'token_invalid', () => token({ userId: { id: 'ada' } })],
      ['that is none', 'token_malformed', () => 'no.token.at-all'],
      ['of more than 4096 bytes', 'token_malformed', () => token({ userId: 'ada', filler: 'x'.repeat(4096) })],
    ];
    for (const [what, code, make] of cases) {
      it(`${what}: ${code}, to both dialects`, async () => {
        const shown = await make();
        const refused = await refusal(program, { token: shown });
        assert.equal(refused.message, 'unauthorized');
        assert.equal(refused.data.code, code);
        assert.ok(refused.data.message.length > 0);
        const { error, ...closed } = await plainRefusal(program, { token: shown });
        assert.equal(error.type, 'error');
        assert.equal(error.code, code);
        assert.equal(error.message, refused.data.message);
        assert.deepEqual(closed, { code: code === 'token_expired' ? 4002 : 4001, reason: 'unauthorized' });
      });
    }

    it('with a changed byte anywhere in its signature', async () => {
      const good = await token({ userId: 'ada' });
      const [text, signature] = [good.slice(0, good.lastIndexOf('.') + 1), good.slice(good.lastIndexOf('.') + 1)];
      for (let i = 0; i < signature.length; i += 6) {
        const other = signature[i] === 'A' ? 'B' : 'A';
        const refused = await refusal(program, { token: text + signature.slice(0, i) + other + signature.slice(i + 1) });
        assert.equal(refused.message, 'unauthorized', `byte ${i}`);
      }
    });

    it('by polling as by WebSocket', async () => {
      const refused = await refusal(program, { token: await token({ userId: 'ada' }, { exp: -60 }), transports: ['polling'] });
      assert.deepEqual([refused.message, refused.data.code], ['unauthorized', 'token_expired']);
    });

    it('without saying anything of it', async () => {
      const shown = remember(`${await token({ userId: 'ada' })}x`);
      const refused = JSON.stringify(await refusal(program, { query: { token: shown } }));
      for (const part of shown.split('.')) assert.ok(!refused.includes(part));
    });
  });

  describe('a namespace that wants one', () => {
    const namespaces = ['/private', '/org-red'];
    for (const namespace of namespaces) {
      it(`${namespace} refuses who has none`, async () => {
        const refused = await refusal(program, { namespace });
        assert.deepEqual([refused.message, refused.data.code], ['unauthorized', 'token_missing']);
        const { error, code } = await plainRefusal(program, { path: `/?namespace=${namespace}` });
        assert.deepEqual([error.type, error.code, code], ['error', 'token_missing', 4001]);
      });
      it(`${namespace} lets in who has one`, async () => {
        const shown = await token({ userId: 'ada' });
        const client = await connect(program, { namespace, token: shown });
        assert.ok(client.connected);
        assert.equal((await plain(program, { path: `/?namespace=${namespace}`, token: shown }).then((peer) => peer.ask('nothing'))).ok, false);
      });
    }
    it('a name wins over a pattern', async () => {
      assert.ok((await connect(program, { namespace: '/org-open' })).connected);
    });
    it('a namespace that nobody declared is refused, with a token and without', async () => {
      for (const shown of [undefined, await token({ userId: 'ada' })]) {
        assert.equal((await refusal(program, { namespace: '/nowhere', token: shown })).message, 'Invalid namespace');
      }
    });
  });
});

describe('where a token is looked for', () => {
  const program = useProgram({
    env: { JWT_SECRET: kSecret },
    toml: `
[auth]
sources = ["query", "cookie"]
cookie_name = "session"
anonymous = false
${kWhoAmI}`,
  });

  it('is only where the configuration says, in its order', async () => {
    const of = (userId) => token({ userId });
    const extraHeaders = { Cookie: `token=${await of('wrong')}; session=${await of('cookie')}`, Authorization: `Bearer ${await of('header')}` };
    const query = { token: await of('query') };
    const transports = ['polling'];
    assert.equal(await whoIs(await connect(program, { extraHeaders, query, transports })), 'query');
    assert.equal(await whoIs(await connect(program, { extraHeaders, token: await of('auth'), transports })), 'cookie');
    const refused = await refusal(program, { token: await of('auth'), extraHeaders: { Authorization: extraHeaders.Authorization }, transports });
    assert.equal(refused.data.code, 'token_missing');
  });

  it('without a token nobody comes in where auth.anonymous is false', async () => {
    assert.equal((await refusal(program)).data.code, 'token_missing');
    assert.equal((await plainRefusal(program)).code, 4001);
  });

  it('who says nothing at all is closed after auth.timeout', async () => {
    const quick = new Program({ env: { JWT_SECRET: kSecret, SOCKET_IO_AUTH_TIMEOUT: '300' }, toml: '[auth]\nanonymous = false\n' });
    await quick.start();
    const { default: WebSocket } = await import('ws');
    const silent = new WebSocket(`${quick.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    await withTimeout(new Promise((resolve) => silent.once('close', resolve)), 5_000, 'the end of a client that never connects');
    await quick.stop();
  });
});

describe('issuers', () => {
  const keys = {};
  let keySet = { keys: [] };
  const requests = [];
  const backEnd = useBackEnd(({ path }) => {
    requests.push(path);
    return path === '/keys' ? { body: keySet } : { status: 404 };
  });
  const published = async (name) => ({ ...(await exportJWK(keys[name].publicKey)), kid: name, use: 'sig' });
  before(async () => {
    keys.rsa = await generateKeyPair('RS256');
    keys.elliptic = await generateKeyPair('ES256');
    for (const name of ['first', 'second', 'foreign']) keys[name] = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
    keys.shared = await generateKeyPair('RS256');
    file('rsa.pem', await exportSPKI(keys.rsa.publicKey));
    file('elliptic.json', JSON.stringify({ keys: [{ ...(await published('elliptic')), kid: 'same' }] }));
    file('other.json', JSON.stringify({ keys: [{ ...(await published('shared')), kid: 'same' }] }));
    keySet = { keys: [await published('first')] };
  });
  const program = useProgram(() => ({
    toml: `
${kWhoAmI}
[[auth.issuers]]
issuer = "https://rsa.example"
audience = "app"
public_key_file = "rsa.pem"
[[auth.issuers]]
issuer = "https://elliptic.example"
jwks_file = "elliptic.json"
[[auth.issuers]]
issuer = "https://other.example"
jwks_file = "other.json"
[[auth.issuers]]
issuer = "https://remote.example"
jwks_url = "${backEnd.url('/keys')}"
`,
  }));
  let started = 0;
  before(() => (started = Date.now()));

  const ofRsa = (claims = {}, more = {}) =>
    token({ iss: 'https://rsa.example', aud: 'app', sub: 'rita', ...claims }, { key: keys.rsa.privateKey, alg: 'RS256', ...more });
  const ofElliptic = (claims = {}, more = {}) =>
    token({ iss: 'https://elliptic.example', sub: 'ella', ...claims }, { key: keys.elliptic.privateKey, alg: 'ES256', kid: 'same', ...more });
  const ofRemote = (name, claims = {}) =>
    token({ iss: 'https://remote.example', sub: 'ed', ...claims }, { key: keys[name].privateKey, alg: 'EdDSA', kid: name });
  const enter = async (shown) => whoIs(await connect(program, { token: shown }));
  const refusedAs = async (shown) => (await refusal(program, { token: shown })).data.code;

  it('by a public key in a file (RS256)', async () => assert.equal(await enter(await ofRsa()), 'rita'));
  it('by a key set in a file (ES256)', async () => assert.equal(await enter(await ofElliptic()), 'ella'));
  it('by a key set from a URL (EdDSA), fetched at start', async () => {
    assert.equal(await enter(await ofRemote('first')), 'ed');
    assert.deepEqual(requests, ['/keys']);
  });

  it('an audience that is asked for must be there, among others too', async () => {
    assert.equal(await enter(await ofRsa({ aud: ['web', 'app'] })), 'rita');
    assert.equal(await refusedAs(await ofRsa({ aud: 'web' })), 'token_wrong_audience');
    assert.equal(await refusedAs(await ofRsa({ aud: undefined })), 'token_wrong_audience');
  });

  it('a key of one issuer never verifies a token of another, whatever kid it names', async () => {
    assert.equal(await refusedAs(await ofElliptic({ iss: 'https://other.example' })), 'token_invalid');
    assert.equal(await refusedAs(await ofRsa({ iss: 'https://other.example' }, { kid: 'same' })), 'token_invalid');
    assert.equal(await refusedAs(await ofRsa({ iss: 'https://elliptic.example' }, { kid: 'same' })), 'token_invalid');
    const other = await token({ iss: 'https://other.example', sub: 'otto' }, { key: keys.shared.privateKey, alg: 'RS256', kid: 'same' });
    assert.equal(await enter(other), 'otto');
  });

  it('an RSA key is no HMAC secret', async () => {
    const pem = await exportSPKI(keys.rsa.publicKey);
    assert.equal(await refusedAs(await token({ iss: 'https://rsa.example', aud: 'app', sub: 'eve' }, { secret: pem })), 'token_invalid');
  });

  it('no issuer is made of what a token says, and nothing is fetched for it', async () => {
    const before = requests.length;
    for (const iss of [backEnd.url('/evil'), backEnd.url('/keys'), 'https://nobody.example', undefined]) {
      assert.equal(await refusedAs(await ofRsa({ iss })), 'token_wrong_issuer');
    }
    for (const header of [{ jku: backEnd.url('/jku') }, { x5u: backEnd.url('/x5u') }, { jwk: await exportJWK(keys.foreign.publicKey) }]) {
      const shown = await token({ iss: 'https://elliptic.example', sub: 'eve' },
        { key: keys.foreign.privateKey, alg: 'EdDSA', kid: 'same', header });
      assert.equal(await refusedAs(shown), 'token_invalid');
    }
    assert.equal(requests.length, before);
  });

  it('a kid is compared, and never a path', async () => {
    for (const kid of ['../../../../etc/passwd', '/dev/null', "' OR 1=1 --", 'first\u0000', 'x'.repeat(1_000)]) {
      assert.match(await refusedAs(await ofElliptic({}, { kid })), /^token_(unknown_key|malformed)$/);
    }
  });

  it('200 tokens of unknown keys cause at most one more fetch, and a new key is known after it', async () => {
    keySet = { keys: [await published('first'), await published('second')] };
    await pause(Math.max(0, 10_500 - (Date.now() - started)));  // kRefreshPauseMs after the fetch at start
    const before = requests.length;
    const shown = await Promise.all(Array.from({ length: 200 }, (_, i) =>
      token({ iss: 'https://remote.example', sub: 'eve' }, { key: keys.foreign.privateKey, alg: 'EdDSA', kid: `unknown-${i}` })));
    const entering = ofRemote('second').then(enter);
    const codes = await Promise.all(shown.map(refusedAs));
    assert.deepEqual([...new Set(codes)], ['token_unknown_key']);
    assert.equal(await entering, 'ed');
    assert.equal(requests.length - before, 1);
  });

  it('without the server of the key set the keys stay, and unknown ones are refused', async () => {
    await backEnd.stop();
    assert.equal(await enter(await ofRemote('first')), 'ed');
    assert.equal(await enter(await ofRemote('second')), 'ed');
    assert.equal(await refusedAs(await ofRemote('foreign')), 'token_unknown_key');
    assert.equal(await enter(await ofElliptic()), 'ella');
  });
});

describe('a key set that cannot be fetched at start', () => {
  let down = true;
  const backEnd = useBackEnd(() => (down ? { status: 500 } : { body: { keys: [] } }));
  const program = useProgram(() => ({
    env: { JWT_SECRET: kSecret },
    toml: `[[auth.issuers]]\nissuer = "https://remote.example"\njwks_url = "${backEnd.url('/keys')}"\n${kWhoAmI}`,
  }));
  it('is told in the log, holds nobody up, and its tokens are refused', async () => {
    await program.line(/"level":"warn".*key set could not be fetched.*status 500/);
    assert.equal(await whoIs(await connect(program, { token: await token({ userId: 'ada' }) })), 'ada');
    const { privateKey } = await generateKeyPair('ES256');
    const shown = await token({ iss: 'https://remote.example', sub: 'ed' }, { key: privateKey, alg: 'ES256', kid: 'a' });
    assert.equal((await refusal(program, { token: shown })).data.code, 'token_unknown_key');
    down = false;
  });
});

describe('a refusal', () => {
  const program = useProgram({ env: { JWT_SECRET: kSecret } });

  it('has a line in the log that says why, and nothing of the token', async () => {
    await refusal(program, { token: await token({ userId: 'ada' }, { secret: `${kSecret}x` }) });
    const line = JSON.parse(await program.line(/client refused/));
    assert.deepEqual([line.code, line.namespace, line.address], ['token_invalid', '/', '127.0.0.1']);
  });
});

describe('a refreshed token', () => {
  const program = useProgram({
    shards: 2,
    env: { JWT_SECRET: kSecret },
    toml: '[[rooms]]\npattern = "staff"\njoin = "role:staff"\nauto_join = true\n[[rooms]]\npattern = "desk:{id}"\njoin = "claim:desks"\n',
  });
  const inside = async (room) => (await (await fetch(`${program.url}/api/v1/rooms/${room}`)).json()).room.members;

  for (const [dialect, enter] of Object.entries({ 'Socket.IO': connect, plain })) {
    it(`${dialect}: ends what the new one gives no right to, and begins what it does`, async () => {
      const renew = async (claims) => assert.equal((await client.ask('auth_refresh', { token: await token({ userId: 'ada', ...claims }) })).ok, true);
      const client = await enter(program, { token: await token({ userId: 'ada', role: 'staff', desks: [1, 2] }) });
      for (const room of ['desk:1', 'desk:2', 'lobby']) assert.equal((await client.ask('join', { room })).ok, true, room);
      // Where a back end has put it, it stays.
      const put = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ users: ['ada'] }) };
      assert.equal((await (await fetch(`${program.url}/api/v1/rooms/desk:9/join`, put)).json()).connections, 1);
      await renew({ desks: [2] });
      assert.deepEqual(await Promise.all(['staff', 'desk:1', 'desk:2', 'desk:9', 'lobby', 'user:ada'].map(inside)), [0, 0, 1, 1, 1, 1]);
      await renew({ role: 'staff' });
      assert.deepEqual(await Promise.all(['staff', 'desk:2'].map(inside)), [1, 0]);
      dialect === 'plain' ? client.close() : client.disconnect();
      assert.ok(await eventually(async () => (await inside('user:ada')) === 0));
    });

    it(`${dialect}: is asked for, and not too often`, async () => {
      const client = await enter(program, { token: await token({ userId: 'ada' }) });
      const nothing = dialect === 'plain' ? await client.ask('auth_refresh') : await client.emitWithAck('auth_refresh');
      assert.equal(nothing.error.code, 'token_missing');
      const codes = [];
      for (let i = 0; i < 12; ++i) codes.push((await client.ask('auth_refresh', { token: 'a.b.c' })).error.code);
      assert.deepEqual(codes.slice(0, 9), Array(9).fill('token_malformed'));
      assert.deepEqual(codes.slice(9), Array(3).fill('rate_limited'));
      assert.deepEqual(await client.ask('echo', dialect === 'plain' ? { data: 1 } : 1), 1);
    });
  }
});

describe('the end of a token under a live socket', () => {
  const program = useProgram({
    shards: 2,
    env: { JWT_SECRET: kSecret },
    toml: `
[auth]
leeway = "0s"
expiry_warning = "1s"
${kWhoAmI}${kMark}
[[events]]
name = "tick"
to = "lobby"
member_of = ""
stamp = { at = "{time_ms}" }
`,
  });
  const clients = { 'Socket.IO': connect, plain };
  const nameOf = (message) => (Array.isArray(message) ? message[0] : message.type);
  const fieldsOf = (message) => (Array.isArray(message) ? message[1] : message);
  // The token's exp is a whole second, so the time left is up to one second less.
  const atFullSecond = () => pause(1000 - (Date.now() % 1000) + 20);

  for (const [dialect, enter] of Object.entries(clients)) {
    it(`${dialect}: a warning, then out of its rooms and closed with 4002 within 2 s`, async () => {
      await atFullSecond();
      const ends = (Math.floor(Date.now() / 1000) + 3) * 1000;
      const client = await enter(program, { token: await token({ userId: 'ada' }, { exp: 3 }) });
      const witness = await connect(program, { token: await token({ userId: 'eve' }) });
      for (const each of [client, witness]) assert.deepEqual(await each.ask('join', { room: 'lobby' }), { ok: true });
      let ticks = 0;
      const ticking = setInterval(() => witness.emit('tick', { number: (ticks += 1) }), 50);
      const closed = await withTimeout(client.ended, 10_000, 'the end of the socket');
      const closedAt = Date.now();
      await pause(500);
      clearInterval(ticking);

      assert.equal(closed.code, 4002);
      assert.ok(closedAt >= ends - 50 && closedAt <= ends + 2_000, `closed ${closedAt - ends} ms after the end`);
      const heard = [];
      for (let message = 1; message !== undefined;) {
        message = await client.inbox.next(50).catch(() => undefined);
        if (message !== undefined) heard.push(message);
      }
      const warning = heard.findIndex((message) => nameOf(message) === 'auth_expiring');
      assert.ok(warning > 0, 'there was a warning, after the first ticks');
      const { expiresAt } = fieldsOf(heard[warning]);
      assert.ok(expiresAt === undefined || expiresAt === ends / 1000, `expiresAt ${expiresAt}`);
      const last = fieldsOf(heard.at(-1)).at;
      assert.ok(last < ends + 1_000, `a message ${last - ends} ms after the end`);
      // The witness heard the whole time.
      const later = [];
      for (let i = 0; i < ticks; i += 1) later.push(await witness.next());
      assert.ok(later.at(-1)[1].at > last);
    });

    it(`${dialect}: auth_refresh keeps it alive, and in its rooms`, async () => {
      const client = await enter(program, { token: await token({ userId: 'ada' }, { exp: 3 }) });
      await client.ask('join', { room: 'lobby' });
      const answer = await client.ask('auth_refresh', { token: await token({ userId: 'ada', team: 'new' }, { exp: 60 }) });
      assert.equal(answer.ok, true);
      assert.ok(Math.abs(answer.expiresAt - Date.now() / 1000 - 60) < 3);
      await pause(4_500);
      const witness = await connect(program);
      witness.emit('tick', { number: 1 });
      const message = await client.next();
      assert.equal(nameOf(message), 'tick', JSON.stringify(message));
      assert.equal((await client.ask('who-am-i')).team, 'new');
    });

    it(`${dialect}: auth_refresh refuses the token of somebody else, an expired one, and none`, async () => {
      const client = await enter(program, { token: await token({ userId: 'ada' }) });
      const refused = async (payload) => {
        const answer = await client.ask('auth_refresh', payload);
        assert.equal(answer.ok, false);
        return answer.error.code;
      };
      assert.equal(await refused({ token: await token({ userId: 'eve' }) }), 'token_of_another_user');
      assert.equal(await refused({ token: await token({ userId: 'ada' }, { exp: -5 }) }), 'token_expired');
      assert.match(await refused({ token: 'nonsense' }), /^token_malformed$/);
      assert.match(await refused({}), /^token_(missing|malformed)$/);
      assert.equal(await whoIs(client), 'ada');
    });
  }

  it('auth_refresh does not make somebody of nobody', async () => {
    const client = await connect(program);
    const answer = await client.ask('auth_refresh', { token: await token({ userId: 'ada' }) });
    assert.equal(answer.error.code, 'token_of_another_user');
    assert.equal(await whoIs(client), null);
  });

  it('a refresh without an acknowledgement is answered by an event', async () => {
    const client = await connect(program, { token: await token({ userId: 'ada' }) });
    client.emit('auth_refresh', { token: await token({ userId: 'ada' }) });
    const [name, answer] = await client.next();
    assert.deepEqual([name, answer.ok], ['auth_refreshed', true]);
    client.emit('auth_refresh', { token: 'nonsense' });
    const [error, { code, event }] = await client.next();
    assert.deepEqual([error, code, event], ['error', 'token_malformed', 'auth_refresh']);
    await nothingReaches(client, client);
  });

  it('the log names connects and disconnects of users', async () => {
    await eventually(() => /client disconnected".*"user":"ada"/.test(program.output));
    assert.match(program.output, /client connected".*"user":"ada"/);
    assert.match(program.output, /client disconnected".*"user":"ada"/);
  });
});
