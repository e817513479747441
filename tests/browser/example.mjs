// Goes through examples/your-own-form as a new person does, and looks at the tokens with another library:
// example.mjs PAGE POSTERN ISSUER [FOLDER for screenshots]
import assert from 'node:assert/strict';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { inChromium } from './chromium.mjs';
import { authenticator, inbox } from './person.mjs';

const [at, postern, issuer, pictures] = process.argv.slice(2);
const APP = 'app_00000000000000000000000000';
const ana = 'ana@example.com';
const [first, second] = ['lilac-otter-walks-at-dawn', 'amber-heron-sleeps-by-noon'];
const seen = new Set();
const keys = createRemoteJWKSet(new URL(`${postern}/.well-known/jwks.json`));

/** The tokens that the page holds, verified. */
const tokens = async (page) => {
  const held = JSON.parse(await page.evaluate((name) => localStorage.getItem(name), `postern.tokens.${APP}`));
  const expected = { issuer, audience: APP };
  const { payload: access } = await jwtVerify(held.access, keys, { ...expected, typ: 'at+jwt' });
  const { payload: id } = await jwtVerify(held.id, keys, { ...expected, typ: 'JWT' });
  assert.equal(id.sub, access.sub);
  assert.equal(id.email, ana);
  assert.match(access.sid, /^ses_/);
  return access;
};

await inChromium(async (page) => {
  const view = (name) => page.waitForSelector(`[data-view=${name}]:not([hidden])`, { timeout: 20_000 });
  const press = (name, { value, within = '[data-view]:not([hidden])' } = {}) =>
    page.click(`${within} button[name=${name}]${value === undefined ? '' : `[value="${value}"]`}:visible`);
  const type = (name, value, within = '[data-view]:not([hidden])') => page.fill(`${within} [name=${name}]:visible`, value);
  const complains = () => page.waitForFunction(() => document.querySelector('#status').textContent !== '', null, { timeout: 20_000 });
  const picture = (name) => (pictures ? page.screenshot({ path: `${pictures}/${name}.png` }) : undefined);
  const signIn = async (password) => {
    await view('sign_in');
    await type('identifier', ana);
    await type('password', password);
    await press('password');
  };
  const signOut = async () => {
    await press('signOut');
    await view('sign_in');
  };
  /** Chooses the first option with this text. */
  const choose = (text) => page.click(`[data-view]:not([hidden]) .choices button:has-text("${text}")`);
  await page.setViewportSize({ width: 640, height: 560 });
  await page.goto(at);

  // Sign-up: the address is proven by a code, over a reload.
  await view('sign_in');
  await picture('your-own-form');
  await press('signUp');
  await view('sign_up');
  await type('identifier', ana);
  await type('password', first);
  await press('password');
  await view('code');
  await page.reload();
  await view('code');
  await type('code', '000000');
  await press('code');
  await complains();
  await type('code', await inbox(postern, ana, seen));
  await press('code');
  await view('enrol');
  await choose('Authenticator app');
  await view('activate');
  await page.waitForSelector('[data-view=activate] img');
  const app = authenticator(await page.textContent('[data-view=activate] code'));
  await type('code', await app());
  await press('activate');
  await view('account');
  assert.match((await tokens(page)).acr, /aal2/);
  console.log('signed up with a password and an authenticator app');

  // A passkey is added: that needs a fresh proof.
  await press('addPasskey');
  await page.waitForSelector('#proof[open]');
  await page.click('#proofs button:has-text("Authenticator")');
  await page.waitForSelector('#proof[open] [name=answer]:visible');
  await page.fill('#proof [name=answer]', await app());
  await page.click('#proof [name=proof]');
  await page.waitForSelector('#factors li:has-text("This device")');
  await picture('your-own-form-account');

  // A passkey signs in alone.
  await signOut();
  await press('passkey');
  await view('account');
  assert.match((await tokens(page)).acr, /phishing-resistant/);
  console.log('signed in with the passkey');

  // A password needs a second factor: the choice, another way, and remembering.
  await signOut();
  await signIn(first);
  await view('choose');
  await choose('Authenticator');
  await view('code');
  await press('other');
  await view('choose');
  await page.check('[data-view=choose] [name=remember]');
  await choose('This device');
  await view('account');
  await signOut();
  await signIn(first);
  await view('account');
  console.log('signed in with a password and a second factor, then on the remembered device without');

  // Two sessions, as of two browsers: one is ended from the other.
  const store = (name) => page.evaluate((name) => localStorage.getItem(name), name);
  const theirs = await store(`postern.tokens.${APP}`);
  await page.evaluate((name) => localStorage.removeItem(name), `postern.tokens.${APP}`);
  await page.reload();
  await signIn(first);
  await view('account');
  await page.waitForSelector('#sessions button');
  await press('endOthers');
  await page.waitForFunction(() => !document.querySelector('#sessions button'), null, { timeout: 20_000 });
  const own = await store(`postern.tokens.${APP}`);
  const become = async (tokens) => {
    await page.evaluate(([name, tokens]) => localStorage.setItem(name, tokens), [`postern.tokens.${APP}`, tokens]);
    await page.reload();
  };
  await become(theirs);
  await view('sign_in');
  assert.equal(await store(`postern.tokens.${APP}`), null);
  await become(own);
  await view('account');
  console.log('ended the other session');

  // A forgotten password: the code, a second factor all the same, a new password.
  await signOut();
  await press('forgotten');
  await view('password_reset');
  await type('identifier', ana);
  await press('identify');
  await view('code');
  await type('code', await inbox(postern, ana, seen));
  await press('code');
  await view('choose');
  await choose('This device');
  await view('new_password');
  await type('password', second);
  await press('newPassword');
  await view('account');
  await signOut();
  await signIn(first);
  await complains();
  await view('sign_in');
  await signIn(second);
  await view('choose');
  console.log('set a new password');
});
