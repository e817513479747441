// Tokens: one refresh at a time over all tabs, before they expire; who is signed out stays signed out.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { createClient } from '../src/index.ts';
import { CLIENT, URL_, browser, idToken, json, problem, rotating, server } from './browser.mjs';

const NAME = `postern.tokens.${CLIENT}`;
const TOKEN = 'POST /oauth2/v1/token';
mock.timers.enable({ apis: ['Date'], now: 1_000_000 });

/** A browser in which somebody is signed in, in as many tabs as wanted. */
const signedIn = ({ tabs = 1, withLocks = true, refresh = 'rt_1', answers = {} } = {}) => {
  const { local } = browser({ withLocks });
  const rotate = rotating();
  rotate({ body: { grant_type: 'authorization_code' } });
  const fake = server({ [TOKEN]: rotate, 'POST /oauth2/v1/revoke': json(200, {}), ...answers });
  local.setItem(NAME, JSON.stringify({ access: 'at_1', expires: Date.now() + 1_800_000, refresh, id: 'a.e30.c' }));
  const clients = Array.from({ length: tabs }, () => createClient({ url: URL_, clientId: CLIENT, storage: local, fetch: fake.fetch }));
  return { fake, local, clients, postern: clients[0] };
};

test('a token that is good for a while is given without a call', async () => {
  const { postern, fake } = signedIn();
  mock.timers.tick(1_769_999);
  assert.equal(await postern.getAccessToken(), 'at_1');
  assert.equal(fake.calls.length, 0);
});

test('a token is refreshed half a minute before it expires, and the new one is kept', async () => {
  const { postern, fake, local } = signedIn();
  mock.timers.tick(1_770_000);
  assert.equal(await postern.getAccessToken(), 'at_2');
  assert.deepEqual(fake.calls[0].body, { grant_type: 'refresh_token', refresh_token: 'rt_1', client_id: CLIENT });
  assert.deepEqual(JSON.parse(local.getItem(NAME)), { access: 'at_2', expires: Date.now() + 1_800_000, refresh: 'rt_2', id: 'a.e30.c' });
  assert.equal(await postern.getAccessToken(), 'at_2');
  assert.equal(fake.calls.length, 1);
});

test('a hundred calls in five tabs make one refresh', async () => {
  const { clients, fake } = signedIn({ tabs: 5 });
  mock.timers.tick(1_800_000);
  const calls = Array.from({ length: 100 }, (_, at) => clients[at % 5].getAccessToken());
  assert.deepEqual(new Set(await Promise.all(calls)), new Set(['at_2']));
  assert.equal(fake.calls.length, 1);
});

test('without locks a tab makes one refresh, and takes what another tab got', async () => {
  const { clients, fake } = signedIn({ tabs: 2, withLocks: false });
  mock.timers.tick(1_800_000);
  const calls = Array.from({ length: 20 }, (_, at) => clients[at % 2].getAccessToken());
  assert.deepEqual(new Set(await Promise.all(calls)), new Set(['at_2']));
  assert.equal(fake.calls.length, 2);
});

test('a refused refresh signs out', async () => {
  const { postern, local } = signedIn({ refresh: 'rt_stolen' });
  mock.timers.tick(1_800_000);
  await assert.rejects(postern.getAccessToken(), (error) => error.code === 'signed_out' && error.cause.code === 'invalid_grant');
  assert.equal(local.getItem(NAME), null);
  assert.equal(postern.isSignedIn, false);
  assert.equal(postern.claims, undefined);
  await assert.rejects(postern.getAccessToken(), { code: 'signed_out' });
});

test('without a refresh token the access token is used to its end', async () => {
  const { postern, fake, local } = signedIn({ refresh: null });
  mock.timers.tick(1_799_999);
  assert.equal(await postern.getAccessToken(), 'at_1');
  mock.timers.tick(1);
  await assert.rejects(postern.getAccessToken(), { code: 'signed_out' });
  assert.equal(local.getItem(NAME), null);
  assert.equal(fake.calls.length, 0);
});

test('without a network the old token is used to its end, and nobody is signed out', async () => {
  for (const broken of [() => Promise.reject(new TypeError('offline')), () => problem(503, 'database_unavailable', {}, { 'retry-after': '5' })]) {
    const { postern, fake, local } = signedIn();
    const rotate = fake.answers[TOKEN];
    fake.answers[TOKEN] = broken;
    mock.timers.tick(1_799_999);
    assert.equal(await postern.getAccessToken(), 'at_1');
    mock.timers.tick(1);
    await assert.rejects(postern.getAccessToken(), (error) => ['network', 'database_unavailable'].includes(error.code));
    assert.notEqual(local.getItem(NAME), null);
    fake.answers[TOKEN] = rotate;
    assert.equal(await postern.getAccessToken(), 'at_2');
  }
});

test('who signs out while a refresh goes on is signed out', async () => {
  const { clients, fake, local } = signedIn({ tabs: 2 });
  mock.timers.tick(1_800_000);
  const [token] = await Promise.all([clients[0].getAccessToken(), clients[1].signOut()]);
  assert.equal(token, 'at_2');
  assert.equal(local.getItem(NAME), null);
  // The session ends by the newest refresh token, which is the one that lives.
  assert.deepEqual(fake.calls.at(-1).body, { token: 'rt_2', client_id: CLIENT });
  await assert.rejects(clients[0].getAccessToken(), { code: 'signed_out' });
});

test('a session without a refresh token is ended by its id', async () => {
  const access = idToken({ sid: 'ses_1' });
  const { postern, fake, local } = signedIn({ answers: { 'DELETE /v1/me/sessions/ses_1': new Response(null, { status: 204 }) } });
  local.setItem(NAME, JSON.stringify({ access, expires: Date.now() + 1 }));
  await postern.signOut();
  assert.equal(fake.calls[0].headers.authorization, `Bearer ${access}`);
  assert.equal(local.getItem(NAME), null);
});

test('who signs out without a network is signed out here', async () => {
  const { postern, fake, local } = signedIn();
  delete fake.answers['POST /oauth2/v1/revoke'];
  await assert.rejects(postern.signOut(), { code: 'network' });
  assert.equal(local.getItem(NAME), null);
  await postern.signOut();
  assert.equal(fake.calls.length, 1);
});

test('an access token that is not taken any more is refreshed once', async () => {
  let refused = 0;
  const taken = ({ headers }) => (headers.authorization === 'Bearer at_1' ? (refused++, problem(401, 'token_invalid')) : json(200, { id: 'usr_1' }));
  const { clients, fake } = signedIn({ tabs: 2, answers: { 'GET /v1/me': taken } });
  assert.deepEqual(await Promise.all([clients[0].me('GET /v1/me'), clients[1].me('GET /v1/me')]), [{ id: 'usr_1' }, { id: 'usr_1' }]);
  assert.equal(refused, 2);
  assert.equal(fake.of(TOKEN).length, 1);
  fake.answers['GET /v1/me'] = () => problem(401, 'token_invalid');
  await assert.rejects(clients[0].me('GET /v1/me'), { code: 'token_invalid' });
  assert.equal(fake.of(TOKEN).length, 2);
});

test('the access token of a step-up takes the place of the old one, unless somebody has signed out', async () => {
  const stepped = () => json(200, { access_token: 'at_stepped', expires_in: 600, id_token: idToken({ acr: 'aal2' }) });
  const { postern, fake, local } = signedIn({ answers: { 'POST /v1/me/step-up': stepped } });
  await postern.stepUp({ password: 'lilac otter' });
  assert.equal(await postern.getAccessToken(), 'at_stepped');
  assert.equal(postern.claims.acr, 'aal2');
  const { expires, refresh } = JSON.parse(local.getItem(NAME));
  assert.deepEqual([expires, refresh], [Date.now() + 600_000, 'rt_1']);
  fake.answers['POST /v1/me/step-up'] = async () => (await postern.signOut(), stepped());
  await postern.stepUp({ password: 'lilac otter' });
  assert.equal(local.getItem(NAME), null);
});

test('tokens stay in memory unless a storage is given', async () => {
  const { local, session } = browser();
  const postern = createClient({ url: URL_, clientId: CLIENT, fetch: server({}).fetch });
  local.setItem(NAME, JSON.stringify({ access: 'at_1', expires: Date.now() + 1_800_000 }));
  assert.equal(postern.isSignedIn, false);
  assert.equal(session.kept.size, 0);
});
