// Passkeys: JSON on both sides, in browsers that can and browsers that cannot; one ceremony at a time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode } from '../src/bytes.ts';
import { interrupt } from '../src/passkey.ts';
import { createClient, createPasskey, getPasskey, hasPasskeyAutofill, hasPasskeys } from '../src/index.ts';
import { CLIENT, IN, URL_, browser, created, flow, global, json, rotating, server } from './browser.mjs';

const bytes = (...list) => new Uint8Array(list).buffer;
const REQUEST = { challenge: 'BQYH', rpId: 'login.test', allowCredentials: [{ type: 'public-key', id: '-_8' }], userVerification: 'preferred' };
const CREATION = { challenge: 'BQYH', rp: { id: 'login.test', name: 'X' }, user: { id: 'dXNy', name: 'a', displayName: 'A' },
  pubKeyCredParams: [{ type: 'public-key', alg: -7 }], excludeCredentials: [{ type: 'public-key', id: 'AQID' }] };
const ASSERTION = { id: 'AQID', rawId: 'AQID', type: 'public-key', authenticatorAttachment: 'platform', clientExtensionResults: {},
  response: { clientDataJSON: 'AQ', authenticatorData: 'Ag', signature: 'Aw', userHandle: 'dXNy' } };

/** A browser whose authenticator gives what it is told; `parses` and `toJSON` are what new browsers have. */
const authenticator = ({ give, modern = false }) => {
  const asked = [];
  const act = (method) => async (options) => {
    asked.push({ method, ...options });
    return give(options);
  };
  browser({ credentials: { get: act('get'), create: act('create') } });
  const parse = (json) => ({ parsed: json });
  global('PublicKeyCredential', modern ? Object.assign(class {}, { parseCreationOptionsFromJSON: parse, parseRequestOptionsFromJSON: parse }) : class {});
  return asked;
};
const assertion = () => ({
  id: 'AQID', type: 'public-key', authenticatorAttachment: 'platform', getClientExtensionResults: () => ({}),
  response: { clientDataJSON: bytes(1), authenticatorData: bytes(2), signature: bytes(3), userHandle: bytes(117, 115, 114) },
});
const never = ({ signal }) => new Promise((_, aborted) => signal.addEventListener('abort', () => aborted(signal.reason)));

test('base64url is RFC 4648 §5 without padding, and PKCE is RFC 7636 appendix B', async () => {
  for (const [text, wanted] of [['', ''], ['f', 'Zg'], ['fo', 'Zm8'], ['foo', 'Zm9v'], ['foob', 'Zm9vYg'], ['fooba', 'Zm9vYmE'], ['foobar', 'Zm9vYmFy']]) {
    assert.equal(encode(Buffer.from(text)), wanted);
    assert.equal(Buffer.from(decode(wanted)).toString(), text);
  }
  const all = Uint8Array.from({ length: 256 }, (_, at) => at);
  assert.equal(encode(all), Buffer.from(all).toString('base64url'));
  assert.deepEqual(decode(encode(all)), all);
  const octets = [116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121];
  const verifier = encode(new Uint8Array(octets));
  assert.equal(verifier, 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk');
  assert.equal(encode(await crypto.subtle.digest('SHA-256', Buffer.from(verifier))), 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM');
});

test('a new browser reads and writes the JSON itself', async () => {
  const asked = authenticator({ modern: true, give: () => ({ toJSON: () => ASSERTION }) });
  assert.deepEqual(await getPasskey(REQUEST), ASSERTION);
  assert.deepEqual(asked[0].publicKey, { parsed: REQUEST });
  await createPasskey(CREATION);
  assert.deepEqual(asked[1].publicKey, { parsed: CREATION });
});

test('an old browser gets bytes, and its answer is written as the standard says', async () => {
  const asked = authenticator({ give: assertion });
  assert.deepEqual(await getPasskey(REQUEST), ASSERTION);
  const { publicKey } = asked[0];
  assert.deepEqual(publicKey.challenge, new Uint8Array([5, 6, 7]));
  assert.deepEqual(publicKey.allowCredentials, [{ type: 'public-key', id: new Uint8Array([0xfb, 0xff]) }]);
  assert.equal(publicKey.userVerification, 'preferred');
  assert.equal(asked[0].mediation, undefined);
});

test('an old browser makes a passkey', async () => {
  const response = { clientDataJSON: bytes(1), attestationObject: bytes(2), getTransports: () => ['internal'] };
  const asked = authenticator({ give: () => ({ ...assertion(), response }) });
  const made = await createPasskey(CREATION);
  assert.deepEqual(made.response, { clientDataJSON: 'AQ', attestationObject: 'Ag', transports: ['internal'] });
  const { publicKey } = asked[0];
  assert.deepEqual([...publicKey.user.id], [117, 115, 114]);
  assert.deepEqual(publicKey.excludeCredentials, [{ type: 'public-key', id: new Uint8Array([1, 2, 3]) }]);
  assert.equal(publicKey.allowCredentials, undefined);
});

test('who cancels, or has none, is told so', async () => {
  authenticator({ give: () => Promise.reject(new DOMException('no', 'NotAllowedError')) });
  await assert.rejects(getPasskey(REQUEST), (error) => error.code === 'passkey_cancelled' && error.cause.name === 'NotAllowedError');
  authenticator({ give: () => null });
  await assert.rejects(getPasskey(REQUEST), { code: 'passkey_cancelled' });
  global('PublicKeyCredential', undefined);
  assert.equal(hasPasskeys(), false);
  assert.equal(await hasPasskeyAutofill(), false);
  await assert.rejects(createPasskey(CREATION), { code: 'passkey_unsupported' });
});

test('a second ceremony ends the first', async () => {
  authenticator({ give: never });
  const first = assert.rejects(getPasskey(REQUEST), { code: 'passkey_cancelled' });
  const second = getPasskey(REQUEST);
  await first;
  const third = assert.rejects(createPasskey(CREATION), { code: 'passkey_cancelled' });
  await assert.rejects(second, { code: 'passkey_cancelled' });
  interrupt();
  await third;
});

const signIn = async (fake, more) => createClient({ url: URL_, clientId: CLIENT, fetch: fake.fetch }).signIn(more);
const answers = {
  [`POST ${IN}`]: () => created(),
  [`POST ${IN}/sgn_1/passkey/options`]: () => json(200, { id: 'chl_1', public_key: REQUEST }),
  [`POST ${IN}/sgn_1/passkey`]: () => json(200, flow('complete', { code: 'ac_1' })),
  [`POST ${IN}/sgn_1/password`]: () => json(200, flow('needs_second_factor')),
  [`POST ${IN}/sgn_1/challenges`]: () => json(201, { id: 'chl_2', public_key: REQUEST }),
  [`POST ${IN}/sgn_1/challenges/chl_2/answer`]: () => json(200, flow('complete', { code: 'ac_2' })),
  'POST /oauth2/v1/token': rotating(),
};

test('a passkey signs in without an identifier', async () => {
  const asked = authenticator({ give: assertion });
  const fake = server(answers);
  const flow = await signIn(fake);
  assert.equal((await flow.passkey()).step, 'complete');
  assert.equal(asked[0].method, 'get');
  assert.deepEqual(fake.of(`POST ${IN}/sgn_1/passkey`)[0].body, { credential: ASSERTION });
});

test('a passkey answers a challenge at once', async () => {
  authenticator({ give: assertion });
  const fake = server(answers);
  const flow = await signIn(fake);
  await flow.prove({ factor_id: 'fac_1', type: 'passkey' }, { rememberDevice: true });
  assert.equal(flow.step, 'complete');
  assert.deepEqual(fake.of(`POST ${IN}/sgn_1/challenges/chl_2/answer`)[0].body, { credential: ASSERTION, remember_device: true });
});

test('a sign-up makes its first passkey', async () => {
  const UP = '/v1/client/sign-ups/sgn_3';
  const asked = authenticator({ give: () => ({ ...assertion(), response: { clientDataJSON: bytes(1), attestationObject: bytes(2) } }) });
  const fake = server({
    'POST /v1/client/sign-ups': json(201, { ...flow('needs_first_factor'), id: 'sgn_3', type: 'sign_up', token: 'flw_3' }),
    [`POST ${UP}/passkey/options`]: json(200, { public_key: CREATION }),
    [`POST ${UP}/passkey`]: json(200, { ...flow('needs_verification'), id: 'sgn_3', type: 'sign_up' }),
  });
  const signUp = await createClient({ url: URL_, clientId: CLIENT, fetch: fake.fetch }).signUp();
  assert.equal((await signUp.passkey({ name: 'Laptop' })).step, 'needs_verification');
  assert.equal(asked[0].method, 'create');
  assert.equal(fake.calls.at(-1).body.name, 'Laptop');
});

test('the autofill waits until another call is made, and the call goes through', async () => {
  const asked = authenticator({ give: never });
  const fake = server(answers);
  const flow = await signIn(fake);
  const waiting = flow.passkey({ autofill: true });
  const ended = assert.rejects(waiting, { code: 'passkey_cancelled' });
  while (!asked.length) await new Promise((later) => setImmediate(later));
  assert.equal(asked[0].mediation, 'conditional');
  await flow.password('lilac otter', 'ana@example.com');
  await ended;
  assert.equal(flow.step, 'needs_second_factor');
});
