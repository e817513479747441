// Flows: step by step, over a reload, when they end, and what becomes of the code.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createClient } from '../src/index.ts';
import { CLIENT, IN, URL_, browser, created, flow, global, json, problem, rotating, server } from './browser.mjs';

const CHALLENGE = { id: 'chl_1', type: 'totp', channel: null, status: 'pending', attempts_left: 5, expires_at: '', resend_at: null };
const walk = (more = {}) =>
  server({
    [`POST ${IN}`]: () => created(),
    [`GET ${IN}/sgn_1`]: () => json(200, flow('needs_second_factor')),
    [`POST ${IN}/sgn_1/identifier`]: () => json(200, flow('needs_first_factor', { options: [{ type: 'password' }] })),
    [`POST ${IN}/sgn_1/password`]: () => json(200, flow('needs_second_factor', { options: [{ factor_id: 'fac_1', type: 'totp' }] })),
    [`POST ${IN}/sgn_1/challenges`]: () => json(201, CHALLENGE),
    [`POST ${IN}/sgn_1/challenges/chl_1/answer`]: () => json(200, flow('complete', { code: 'ac_1', device: 'dev_1.secret' })),
    'POST /oauth2/v1/token': rotating(),
    ...more,
  });
const client = (fake, more) => createClient({ url: `${URL_}/`, clientId: CLIENT, fetch: fake.fetch, ...more });

test('a sign-in goes step by step and ends with tokens', async () => {
  const { session, local } = browser();
  const fake = walk();
  const postern = client(fake, { redirectUri: 'https://app.test/done' });
  const signIn = await postern.signIn({ locale: 'pt-BR', botToken: 'bot' });
  assert.equal(signIn.step, 'needs_identifier');
  assert.equal((await signIn.identify('ana@example.com')).step, 'needs_first_factor');
  await signIn.password('lilac otter');
  assert.deepEqual(signIn.options, [{ factor_id: 'fac_1', type: 'totp' }]);
  await signIn.prove(signIn.options[0]);
  assert.equal(signIn.challenge.id, 'chl_1');
  assert.equal(postern.isSignedIn, false);
  await signIn.answer('123456', { rememberDevice: true });
  assert.equal(signIn.step, 'complete');
  assert.equal(postern.isSignedIn, true);
  assert.equal(await postern.getAccessToken(), 'at_1');
  assert.deepEqual(postern.claims, { sub: 'usr_1', name: 'Zoë' });

  const [begun, ...rest] = fake.calls;
  const exchange = rest.pop();
  assert.deepEqual({ ...begun.body, code_challenge: 0 }, { client_id: CLIENT, code_challenge: 0, code_challenge_method: 'S256',
    scope: 'openid offline_access', redirect_uri: 'https://app.test/done', locale: 'pt-BR', bot_token: 'bot' });
  assert.equal(begun.origin, URL_);
  assert.equal(begun.headers.authorization, undefined);
  assert.deepEqual(rest.map((call) => call.body), [{ identifier: 'ana@example.com' }, { password: 'lilac otter' }, { factor_id: 'fac_1' }, { code: '123456', remember_device: true }]);
  for (const call of rest) assert.equal(call.headers.authorization, 'Bearer flw_secret');
  for (const call of fake.calls) assert.equal(call.credentials, 'omit');
  assert.equal(exchange.form, true);
  const { code_verifier: verifier, ...exchanged } = exchange.body;
  assert.deepEqual(exchanged, { grant_type: 'authorization_code', code: 'ac_1', client_id: CLIENT, redirect_uri: 'https://app.test/done' });
  // RFC 7636 §4.1, §4.2.
  assert.match(verifier, /^[\w-]{43}$/);
  assert.equal(begun.body.code_challenge, createHash('sha256').update(verifier).digest('base64url'));
  // Nothing of the flow is left, and no token is where another script could look for it.
  assert.equal(session.kept.size, 0);
  assert.deepEqual([...local.kept], [[`postern.device.${CLIENT}`, 'dev_1.secret']]);
});

test('a remembered device comes with the next sign-in, until it is forgotten', async () => {
  const { local } = browser();
  local.setItem(`postern.device.${CLIENT}`, 'dev_1.secret');
  const fake = walk({ 'POST /v1/client/sign-ups': created(), 'POST /v1/client/password-resets': created() });
  const postern = client(fake);
  await postern.signIn();
  await postern.signUp({ invitation: 'iv_1' });
  await postern.resetPassword({ identifier: 'ana@example.com' });
  postern.forgetDevice();
  await postern.signIn();
  assert.deepEqual(fake.calls.map(({ body }) => body.device), ['dev_1.secret', undefined, undefined, undefined]);
  assert.equal(fake.calls[1].body.invitation, 'iv_1');
  assert.equal(fake.calls[2].body.identifier, 'ana@example.com');
  assert.equal(new Set(fake.calls.map(({ body }) => body.code_challenge)).size, 4);
});

test('a flow survives a reload with its verifier', async () => {
  browser();
  const fake = walk();
  await client(fake).signIn();
  const again = await client(fake).resume();
  assert.equal(again.step, 'needs_second_factor');
  await again.prove({ type: 'totp' });
  await again.answer('123456');
  const exchange = fake.calls.at(-1).body;
  assert.equal(fake.calls[0].body.code_challenge, createHash('sha256').update(exchange.code_verifier).digest('base64url'));
  assert.equal(await client(fake).resume(), undefined);
});

test('a code whose exchange found no network is exchanged after a reload', async () => {
  const { session } = browser();
  const fake = walk();
  const exchange = fake.answers['POST /oauth2/v1/token'];
  fake.answers['POST /oauth2/v1/token'] = () => Promise.reject(new TypeError('offline'));
  const signIn = await client(fake).signIn();
  await signIn.prove({ type: 'totp' });
  await assert.rejects(signIn.answer('123456'), { code: 'network', status: 0 });
  assert.equal(session.kept.size, 1);
  await assert.rejects(client(fake).resume(), { code: 'network' });
  fake.answers['POST /oauth2/v1/token'] = exchange;
  const postern = client(fake);
  assert.equal((await postern.resume()).step, 'complete');
  assert.equal(await postern.getAccessToken(), 'at_1');
  assert.equal(session.kept.size, 0);
});

test('a refused exchange ends the flow', async () => {
  const { session } = browser();
  const fake = walk({ 'POST /oauth2/v1/token': json(400, { error: 'invalid_grant', error_description: 'used up' }) });
  const signIn = await client(fake).signIn();
  await signIn.prove({ type: 'totp' });
  await assert.rejects(signIn.answer('123456'), { code: 'invalid_grant', detail: 'used up', status: 400 });
  assert.equal(session.kept.size, 0);
});

test('an expired flow is abandoned and not resumed', async () => {
  const { session } = browser();
  const fake = walk({ [`POST ${IN}/sgn_1/identifier`]: problem(401, 'flow_token_invalid'), [`GET ${IN}/sgn_1`]: problem(401, 'flow_token_invalid') });
  const signIn = await client(fake).signIn();
  assert.equal(session.kept.size, 1);
  await assert.rejects(signIn.identify('ana@example.com'), { code: 'flow_token_invalid' });
  assert.equal(signIn.step, 'abandoned');
  assert.equal(session.kept.size, 0);
  await client(fake).signIn();
  assert.equal(await client(fake).resume(), undefined);
  assert.equal(session.kept.size, 0);
  assert.equal(await client(fake).resume(), undefined);
});

test('a flow that was given up elsewhere is not resumed', async () => {
  const { session } = browser();
  const fake = walk({ [`GET ${IN}/sgn_1`]: json(200, flow('abandoned')) });
  await client(fake).signIn();
  assert.equal(await client(fake).resume(), undefined);
  assert.equal(session.kept.size, 0);
});

test('a step that another tab has taken is read again', async () => {
  browser();
  const fake = walk({ [`POST ${IN}/sgn_1/identifier`]: problem(409, 'flow_step_mismatch', { step: 'needs_second_factor' }) });
  const signIn = await client(fake).signIn();
  await assert.rejects(signIn.identify('ana@example.com'), { code: 'flow_step_mismatch', status: 409 });
  assert.equal(signIn.step, 'needs_second_factor');
});

test('a wrong code says how many answers are left, and changes nothing', async () => {
  browser();
  const fake = walk({ [`POST ${IN}/sgn_1/challenges/chl_1/answer`]: problem(422, 'form_code_incorrect', { attempts_left: 4 }) });
  const signIn = await client(fake).signIn();
  await signIn.prove({ type: 'totp' });
  await assert.rejects(signIn.answer('000000'), { code: 'form_code_incorrect', attemptsLeft: 4, message: 'form_code_incorrect it is' });
  assert.equal(signIn.challenge.id, 'chl_1');
});

test('a code goes again by another channel, and a recovery code needs none', async () => {
  browser();
  const fake = walk({
    [`POST ${IN}/sgn_1/challenges/chl_1/resend`]: json(200, { ...CHALLENGE, channel: 'voice' }),
    [`POST ${IN}/sgn_1/recovery-code`]: json(200, flow('needs_enrolment')),
  });
  const signIn = await client(fake).signIn();
  await signIn.prove({ factor_id: 'fac_2', type: 'phone', channel: 'sms' });
  await signIn.resend('voice');
  assert.equal(signIn.challenge.channel, 'voice');
  const before = fake.calls.length;
  await signIn.prove({ factor_id: 'fac_3', type: 'recovery_codes' });
  assert.equal(fake.calls.length, before);
  assert.equal(signIn.challenge, undefined);
  assert.equal(signIn.asked.factor_id, 'fac_3');
  await signIn.recoveryCode('7V2C-K9QX-4M0T-ZR8H');
  assert.equal(signIn.asked, undefined);
  assert.deepEqual(fake.calls.slice(1).map(({ body }) => body), [{ factor_id: 'fac_2', channel: 'sms' }, { channel: 'voice' }, { code: '7V2C-K9QX-4M0T-ZR8H' }]);
});

test('an enrolment keeps what is shown once until it is proven', async () => {
  browser();
  const totp = { secret: 'GEZDGNBV', uri: 'otpauth://totp/x', qr_svg: '<svg/>' };
  const fake = walk({
    [`POST ${IN}/sgn_1/enrolments`]: json(201, { factor: { id: 'fac_9', type: 'totp' }, challenge: CHALLENGE, totp }),
    [`POST ${IN}/sgn_1/enrolments/fac_9/activate`]: ({ body }) => (body.code === '123456' ? json(200, flow('complete', { code: 'ac_2' })) : problem(422, 'form_code_incorrect')),
    [`POST ${IN}/sgn_1/skip`]: json(200, flow('complete', { code: 'ac_3' })),
  });
  const postern = client(fake);
  const signIn = await postern.signIn();
  await signIn.enrol({ type: 'totp', name: 'Mine' });
  assert.deepEqual(signIn.enrolment.totp, totp);
  await assert.rejects(signIn.activate('000000'), { code: 'form_code_incorrect' });
  assert.deepEqual(signIn.enrolment.totp, totp);
  await signIn.activate('123456', { rememberDevice: true });
  assert.equal(signIn.enrolment, undefined);
  assert.deepEqual(fake.calls.at(-2).body, { code: '123456', remember_device: true });
  await (await postern.signIn()).skip();
  assert.equal(fake.calls.at(-1).body.code, 'ac_3');
});

test('a challenge that the server named once waits over other steps and a reload, until it is answered', async () => {
  const { session } = browser();
  const UP = '/v1/client/sign-ups';
  const up = (step, more = {}) => ({ ...flow(step, more), id: 'sgn_3', type: 'sign_up' });
  const fake = server({
    [`POST ${UP}`]: json(201, up('needs_identifier', { token: 'flw_3' })),
    [`POST ${UP}/sgn_3/identifier`]: json(200, up('needs_first_factor', { challenge: CHALLENGE })),
    [`POST ${UP}/sgn_3/password`]: json(200, up('needs_verification', { challenge: null })),
    [`GET ${UP}/sgn_3`]: json(200, up('needs_verification', { challenge: null })),
    [`POST ${UP}/sgn_3/challenges/chl_1/answer`]: json(200, up('needs_enrolment', { challenge: null })),
  });
  const signUp = await client(fake).signUp();
  await signUp.identify('ana@example.com');
  await signUp.password('lilac otter');
  assert.equal(signUp.challenge.id, 'chl_1');
  const again = await client(fake).resume();
  assert.equal(again.challenge.id, 'chl_1');
  await again.answer('123456');
  assert.equal(again.challenge, undefined);
  assert.equal(JSON.parse([...session.kept.values()][0]).challenge, undefined);
});

test('a challenge that came with the beginning is there, and so it is after a reload', async () => {
  browser();
  const fake = walk({ [`POST ${IN}`]: () => created('needs_first_factor', { challenge: CHALLENGE }) });
  assert.equal((await client(fake).signIn({ identifier: 'ana@example.com' })).challenge.id, 'chl_1');
  assert.equal((await client(fake).resume()).challenge.id, 'chl_1');
});

test('who tries another way is asked again', async () => {
  browser();
  const fake = walk();
  const signIn = await client(fake).signIn();
  await signIn.prove({ factor_id: 'fac_1', type: 'totp' });
  assert.equal(signIn.asked.factor_id, 'fac_1');
  signIn.other();
  assert.deepEqual([signIn.asked, signIn.challenge], [undefined, undefined]);
  fake.answers[`POST ${IN}/sgn_1/challenges`] = problem(422, 'message_refused');
  await signIn.prove({ factor_id: 'fac_2', type: 'phone' }).catch(() => {});
  assert.deepEqual([signIn.asked, signIn.challenge], [undefined, undefined]);
});

test('a reset sets its new password, and a flow can be given up', async () => {
  const { session } = browser();
  const R = '/v1/client/password-resets';
  const fake = server({
    [`POST ${R}`]: json(201, { ...flow('needs_new_password'), id: 'sgn_2', type: 'password_reset', token: 'flw_2' }),
    [`POST ${R}/sgn_2/new-password`]: problem(422, 'form_password_pwned'),
    [`DELETE ${R}/sgn_2`]: new Response(null, { status: 204 }),
  });
  const reset = await client(fake).resetPassword();
  await assert.rejects(reset.newPassword('123456'), { code: 'form_password_pwned' });
  await reset.end();
  assert.equal(session.kept.size, 0);
});

test('a page without https is told so', async () => {
  browser();
  const { crypto } = globalThis;
  global('crypto', { getRandomValues: (bytes) => bytes });
  await assert.rejects(client(walk()).signIn(), { code: 'insecure_page' });
  global('crypto', crypto);
});

test('without storage a flow still goes to its end', async () => {
  browser();
  for (const name of ['localStorage', 'sessionStorage']) {
    Object.defineProperty(globalThis, name, { configurable: true, get: () => { throw new DOMException('no', 'SecurityError'); } });
  }
  const fake = walk();
  const postern = client(fake);
  const signIn = await postern.signIn();
  await signIn.prove({ type: 'totp' });
  await signIn.answer('123456');
  assert.equal(await postern.getAccessToken(), 'at_1');
});
