// test/e2e/jwt_reference.test.mjs - our tokens against those of the npm package jose: what one signs the other verifies,
// by every algorithm and every form of a key, and what is wrong both refuse.
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import path from 'node:path';
import readline from 'node:readline';
import { spawn } from 'node:child_process';
import * as jose from 'jose';

const kCurves = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };
const kAlgorithms = [
  'HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA',
];
const kRsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
const kNow = Math.floor(Date.now() / 1000);
const kClaims = { sub: 'é😀', n: [1, 2.5, null, true], deep: { a: '' }, iat: kNow, exp: kNow + 600 };

function makeKeys(algorithm) {
  if (algorithm.startsWith('HS')) {
    const secret = crypto.randomBytes(64);
    return { signer: secret, verifier: secret, secret };
  }
  const pair = algorithm === 'EdDSA' ? crypto.generateKeyPairSync('ed25519')
    : algorithm in kCurves ? crypto.generateKeyPairSync('ec', { namedCurve: kCurves[algorithm] })
      : kRsa;
  const pem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' });
  const publicPem = pair.publicKey.export({ type: 'spki', format: 'pem' });
  return { signer: pair.privateKey, verifier: pair.publicKey, pem, publicPem };
}
const kKeys = Object.fromEntries(kAlgorithms.map((algorithm) => [algorithm, makeKeys(algorithm)]));

const base64 = (text) => Buffer.from(text).toString('base64');
const base64url = (text) => Buffer.from(text).toString('base64url');
const josePair = (algorithm, claims = kClaims, header = {}) =>
  new jose.SignJWT(claims).setProtectedHeader({ alg: algorithm, ...header }).sign(kKeys[algorithm].signer);
const joseTakes = async (token, algorithm) => {
  try {
    return (await jose.jwtVerify(token, kKeys[algorithm].verifier, { algorithms: [algorithm], clockTolerance: 5 })).payload;
  } catch {
    return undefined;
  }
};

describe('tokens of jose and ours', () => {
  let program;
  let lines;
  before(() => {
    program = spawn(path.join(process.env.TIDEWIRE_BIN_DIR, 'jwt_verdicts'), { stdio: ['pipe', 'pipe', 'inherit'] });
    lines = readline.createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  });
  after(() => program.stdin.end());

  const ask = async (act, kind, key, algorithm, text) => {
    program.stdin.write(`${[act, kind, base64(key), algorithm, base64(text)].join('\t')}\n`);
    const { value, done } = await lines.next();
    assert.ok(!done, 'jwt_verdicts ended');
    const [word, answer] = value.split('\t');
    return { word, text: Buffer.from(answer, 'base64').toString() };
  };
  const ourKey = (algorithm, signing) => {
    const { secret, pem, publicPem } = kKeys[algorithm];
    return secret ? ['secret', secret] : ['pem', signing ? pem : publicPem];
  };
  const verify = (token, algorithm) => ask('verify', ...ourKey(algorithm, false), algorithm, token);

  // Each way in which a token can be wrong, made of a good one; undefined where the algorithm has no such way.
  const spoil = (token, algorithm) => {
    const [header, claims, signature] = token.split('.');
    const bytes = Buffer.from(signature, 'base64url');
    const signed = (otherBytes) => `${header}.${claims}.${otherBytes.toString('base64url')}`;
    const flipped = Buffer.from(bytes);
    flipped[bytes.length >> 1] ^= 1;
    const der = () => crypto.sign(`sha${algorithm.slice(2)}`, `${header}.${claims}`, kKeys[algorithm].signer);
    const swap = (part) => JSON.stringify({ ...JSON.parse(Buffer.from(part, 'base64url')), more: 1 });
    return {
      'a flipped bit of the signature': signed(flipped),
      'a signature cut short': signed(bytes.subarray(1)),
      'a longer signature': signed(Buffer.concat([bytes, Buffer.from([0])])),
      'no signature': `${header}.${claims}.`,
      'a signature of zeros': signed(Buffer.alloc(bytes.length)),
      'another header': `${base64url(swap(header))}.${claims}.${signature}`,
      'other claims': `${header}.${base64url(swap(claims))}.${signature}`,
      'alg none': `${base64url('{"alg":"none"}')}.${claims}.`,
      'two parts': `${header}.${claims}`,
      'four parts': `${token}.AAAA`,
      'five parts': `${token}.AAAA.AAAA`,
      'a signature in DER': algorithm in kCurves ? signed(der()) : undefined,
    };
  };

  for (const algorithm of kAlgorithms) {
    it(`${algorithm}: we take what jose signed`, async () => {
      const answer = await verify(await josePair(algorithm), algorithm);
      assert.equal(answer.word, 'ok', answer.text);
      assert.deepEqual(JSON.parse(answer.text), kClaims);
    });

    it(`${algorithm}: jose takes what we signed`, async () => {
      const answer = await ask('sign', ...ourKey(algorithm, true), algorithm, JSON.stringify(kClaims));
      assert.equal(answer.word, 'ok', answer.text);
      assert.deepEqual(await joseTakes(answer.text, algorithm), kClaims);
    });

    it(`${algorithm}: keys as JWK and in a set, as jose writes them`, async () => {
      const token = await josePair(algorithm, kClaims, { kid: 'the key' });
      const key = kKeys[algorithm].secret ? kKeys[algorithm].secret : kKeys[algorithm].verifier;
      const jwk = { ...await jose.exportJWK(key), alg: algorithm, kid: 'the key' };
      assert.equal((await ask('verify', 'jwk', JSON.stringify(jwk), '-', token)).word, 'ok');
      const set = JSON.stringify({ keys: [{ kty: 'unknown' }, { ...jwk, kid: 'for another use', use: 'enc' }, jwk] });
      assert.equal((await ask('verify', 'jwks', set, '-', token)).word, algorithm.startsWith('HS') ? 'no_key' : 'ok');
    });

    it(`${algorithm}: both refuse what is spoilt`, async () => {
      for (const [how, token] of Object.entries(spoil(await josePair(algorithm), algorithm))) {
        if (token === undefined) continue;
        assert.equal(await joseTakes(token, algorithm), undefined, `jose takes ${how}`);
        assert.match((await verify(token, algorithm)).word, /^token_/, how);
      }
    });

    it(`${algorithm}: neither takes it for another algorithm or by another key`, async () => {
      const token = await josePair(algorithm);
      for (const other of kAlgorithms.filter((each) => each !== algorithm)) {
        assert.equal(await joseTakes(token, other), undefined, `jose takes it as ${other}`);
        assert.match((await verify(token, other)).word, /^token_/, other);
      }
    });
  }

  it('both judge times and kinds of claims in the same way', async () => {
    const cases = [
      [{ exp: kNow + 60 }, 'ok'], [{ exp: kNow - 60 }, 'token_expired'], [{ exp: kNow - 2 }, 'ok'], [{ exp: kNow + 60.5 }, 'ok'],
      [{ nbf: kNow + 60 }, 'token_not_yet_valid'], [{ nbf: kNow - 60 }, 'ok'], [{ exp: 'soon' }, 'token_invalid'],
      [{ nbf: 'soon' }, 'token_invalid'], [{ exp: null }, 'token_invalid'], [{}, 'ok'],
    ];
    for (const [claims, word] of cases) {
      const token = await new jose.CompactSign(Buffer.from(JSON.stringify(claims)))
        .setProtectedHeader({ alg: 'HS256' })
        .sign(kKeys.HS256.signer);
      assert.equal((await verify(token, 'HS256')).word, word, JSON.stringify(claims));
      assert.equal(await joseTakes(token, 'HS256') !== undefined, word === 'ok', `jose: ${JSON.stringify(claims)}`);
    }
  });

  it('neither takes a critical extension or an encrypted token', async () => {
    const crit = await new jose.CompactSign(Buffer.from(JSON.stringify(kClaims)))
      .setProtectedHeader({ alg: 'HS256', crit: ['http://example.com/x'], 'http://example.com/x': 1 })
      .sign(kKeys.HS256.signer, { crit: { 'http://example.com/x': true } });
    const encrypted = await new jose.EncryptJWT(kClaims)
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(kKeys.HS256.secret.subarray(0, 32));
    for (const token of [crit, encrypted]) {
      assert.equal(await joseTakes(token, 'HS256'), undefined);
      assert.match((await verify(token, 'HS256')).word, /^token_/);
    }
  });

  it('we refuse the public key as a secret', async () => {
    const { publicPem } = kKeys.RS256;
    const token = await new jose.SignJWT(kClaims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(publicPem));
    assert.equal((await ask('verify', 'pem', publicPem, '-', token)).word, 'token_invalid');
    assert.equal((await ask('verify', 'secret', publicPem, '-', token)).word, 'no_key');
  });
});
