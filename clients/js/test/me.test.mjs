// /v1/me: paths, queries, bodies; step-up; every form of refusal.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PosternError, createClient } from '../src/index.ts';
import { CLIENT, URL_, browser, json, problem, server } from './browser.mjs';

const signedIn = (answers) => {
  const { local } = browser({ credentials: undefined });
  local.setItem(`postern.tokens.${CLIENT}`, JSON.stringify({ access: 'at_1', expires: Date.now() + 1_800_000 }));
  const fake = server(answers);
  return { fake, postern: createClient({ url: URL_, clientId: CLIENT, storage: local, fetch: fake.fetch }) };
};

test('what the path names goes into the path, the rest into the body or the query', async () => {
  const { postern, fake } = signedIn({
    'GET /v1/me/events': json(200, { data: [], next_cursor: null }),
    'PATCH /v1/me/factors/a%2Fb%3F': json(200, {}),
    'DELETE /v1/me/sessions/ses_1': new Response(null, { status: 204 }),
  });
  await postern.me('GET /v1/me/events', { limit: 5, cursor: 'a&b' });
  await postern.me('PATCH /v1/me/factors/{id}', { id: 'a/b?', name: 'Mine' });
  assert.equal(await postern.me('DELETE /v1/me/sessions/{id}', { id: 'ses_1' }), undefined);
  assert.deepEqual(fake.calls.map(({ method, path, body }) => [method, path, body]), [
    ['GET', '/v1/me/events?limit=5&cursor=a%26b', undefined],
    ['PATCH', '/v1/me/factors/a%2Fb%3F', { name: 'Mine' }],
    ['DELETE', '/v1/me/sessions/ses_1', undefined],
  ]);
  for (const { headers } of fake.calls) assert.equal(headers.authorization, 'Bearer at_1');
});

test('a change that needs a proof says which, and is not tried again by itself', async () => {
  const needed = problem(401, 'insufficient_user_authentication', { acr_values: 'aal2 phr', max_age: 600 });
  const { postern, fake } = signedIn({ 'POST /v1/me/recovery-codes': needed });
  const error = await postern.me('POST /v1/me/recovery-codes').catch((error) => error);
  assert.ok(error instanceof PosternError && error instanceof Error);
  assert.deepEqual(error.stepUp, { acrValues: 'aal2 phr', maxAge: 600 });
  assert.equal(fake.calls.length, 1);
});

test('a step-up by code gives its challenge', async () => {
  const { postern, fake } = signedIn({ 'POST /v1/me/step-up': json(201, { id: 'chl_1', type: 'totp' }) });
  assert.deepEqual(await postern.stepUp({ type: 'totp' }), { id: 'chl_1', type: 'totp' });
  assert.deepEqual(fake.calls[0].body, { type: 'totp' });
});

test('every refusal is a PosternError', async () => {
  const fields = [{ field: 'name', code: 'too_long', detail: 'at most 60' }];
  const refusals = [
    [problem(422, 'form_invalid', { errors: fields }), { code: 'form_invalid', status: 422, errors: fields, detail: 'form_invalid it is' }],
    [problem(429, 'too_many_requests', { retry_after: 7 }), { retryAfter: 7, status: 429 }],
    [problem(503, 'database_unavailable', {}, { 'retry-after': '9' }), { retryAfter: 9, attemptsLeft: undefined, stepUp: undefined }],
    [json(400, { error: 'invalid_request' }), { code: 'invalid_request', detail: 'invalid_request', errors: [], retryAfter: undefined }],
    [new Response('<h1>Bad gateway</h1>', { status: 502 }), { code: 'unexpected_answer', status: 502 }],
  ];
  for (const [answer, wanted] of refusals) {
    const { postern } = signedIn({ 'GET /v1/me': answer });
    await assert.rejects(postern.me('GET /v1/me'), { name: 'PosternError', ...wanted });
  }
  const { postern } = signedIn({});
  await assert.rejects(postern.me('GET /v1/me'), (error) => error.code === 'network' && error.cause instanceof TypeError);
});

test('a call does not wait for ever', async () => {
  const { postern, fake } = signedIn({ 'GET /v1/me': json(200, {}) });
  await postern.me('GET /v1/me');
  assert.ok(fake.calls[0].signal instanceof AbortSignal);
});
