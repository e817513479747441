// A browser's globals and a Postern behind `fetch`, small enough to read. Each test makes its own.

/** A `Storage`. */
export const store = (kept = new Map()) => ({
  kept,
  getItem: (name) => kept.get(name) ?? null,
  setItem: (name, value) => void kept.set(name, String(value)),
  removeItem: (name) => void kept.delete(name),
});

/** Sets a global for the rest of the test file; `undefined` takes it away. */
export const global = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });

/** `navigator.locks`, as far as exclusive locks go. */
export const locks = () => {
  const queues = new Map();
  return {
    request(name, act) {
      const turn = (queues.get(name) ?? Promise.resolve()).then(act);
      queues.set(name, turn.catch(() => {}));
      return turn;
    },
  };
};

/** A fresh browser. `tab()` gives a tab of its own, as far as storage goes. */
export const browser = ({ withLocks = true, credentials } = {}) => {
  const local = store();
  global('navigator', { locks: withLocks ? locks() : undefined, credentials });
  global('localStorage', local);
  const tab = () => {
    const session = store();
    global('sessionStorage', session);
    return session;
  };
  return { local, tab, session: tab() };
};

export const json = (status, body, headers = {}) => new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });
export const problem = (status, code, more = {}, headers = {}) =>
  json(status, { type: `https://x.test/docs#${code}`, title: code, status, detail: `${code} it is`, code, trace_id: 'req_1', ...more }, headers);

/** A `fetch` that keeps its calls. `answers` maps `METHOD /path` to a Response, or to what makes one of the call. */
export const server = (answers) => {
  const calls = [];
  const fetch = async (url, { method, headers, body, credentials, signal }) => {
    const { origin, pathname, search } = new URL(url);
    const form = body instanceof URLSearchParams;
    const call = { method, origin, path: pathname + search, headers, credentials, signal };
    call.body = form ? Object.fromEntries(body) : body ? JSON.parse(body) : undefined;
    call.form = form;
    calls.push(call);
    await new Promise((later) => setImmediate(later));
    const answer = answers[`${method} ${pathname}`];
    if (!answer) throw new TypeError(`nothing answers ${method} ${pathname}`);
    const made = typeof answer === 'function' ? await answer(call) : answer;
    return made.clone();
  };
  return { fetch, calls, answers, of: (name) => calls.filter(({ method, path }) => `${method} ${path}` === name) };
};

/** An ID token, unsigned: the client shows it and does not verify it. */
export const idToken = (claims) => ['{}', JSON.stringify(claims), ''].map((part) => Buffer.from(part).toString('base64url')).join('.');

/** Token answers that rotate: `rt_1` gives `at_2` and `rt_2`; a used one is refused. */
export const rotating = (life = 1800) => {
  let at = 0;
  return ({ body }) => {
    if (body.grant_type === 'refresh_token' && body.refresh_token !== `rt_${at}`) return json(400, { error: 'invalid_grant', error_description: 'used' });
    at += 1;
    const id = body.grant_type === 'authorization_code' ? { id_token: idToken({ sub: 'usr_1', name: 'Zoë' }) } : {};
    return json(200, { access_token: `at_${at}`, token_type: 'Bearer', expires_in: life, refresh_token: `rt_${at}`, scope: 'openid', ...id });
  };
};

export const URL_ = 'https://login.test';
export const CLIENT = 'app_00000000000000000000000000';
export const IN = '/v1/client/sign-ins';
export const flow = (step, more = {}) => ({ id: 'sgn_1', type: 'sign_in', step, reason: null, options: [], expires_at: '2030-01-01T00:00:00Z', ...more });
export const created = (step = 'needs_identifier', more = {}) => json(201, flow(step, { token: 'flw_secret', ...more }));
