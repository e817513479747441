// Does what the guide tells its reader to do on its page: your-own-form.mjs PAGE POSTERN
import { inChromium } from './chromium.mjs';
import { authenticator, inbox } from './person.mjs';

const [at, postern] = process.argv.slice(2);
const ana = 'ana@example.com';
const password = 'lilac-otter-walks-at-dawn';

await inChromium(async (page) => {
  const step = (name) => page.waitForSelector(`form[data-step=${name}]:not([hidden])`, { timeout: 20_000 });
  const press = (name, value) => page.click(`form:not([hidden]) button[name=${name}]${value ? `[value=${value}]` : ''}`);
  const type = (name, value) => page.fill(`form:not([hidden]) input[name=${name}]`, value);
  const hello = async () => {
    await step('complete');
    await page.waitForFunction(() => document.querySelector('#hello').textContent.startsWith('Hello usr_'), null, { timeout: 20_000 });
    return page.textContent('#hello');
  };

  await page.goto(at);
  await step('needs_identifier');
  await type('email', ana);
  await type('password', password);
  await press('signUp');
  await step('needs_verification');
  // A reload in the middle.
  await page.reload();
  await step('needs_verification');
  await type('code', await inbox(postern, ana));
  await press('answer');
  await step('needs_enrolment');
  await press('enrol', 'totp');
  await page.waitForSelector('#totp:not([hidden])');
  const code = authenticator(await page.textContent('#secret'));
  await type('code', await code());
  await press('activate');
  console.log(await hello());

  await press('signOut');
  await step('needs_identifier');
  await type('email', ana);
  await type('password', 'wrong');
  await press('signIn');
  await page.waitForFunction(() => document.querySelector('#status').textContent !== '');
  await type('password', password);
  await press('signIn');
  await step('needs_second_factor');
  await type('code', await code());
  await press('prove');
  console.log(await hello());
});
console.log('the browser signed up, and signed in');
