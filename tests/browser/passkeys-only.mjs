// Does what the guide tells its reader to do on its page: passkeys-only.mjs PAGE POSTERN
import { inChromium } from './chromium.mjs';
import { inbox } from './person.mjs';

const [at, postern] = process.argv.slice(2);
const ana = 'ana@example.com';
const seen = new Set();

await inChromium(async (page, { losePasskeys }) => {
  const step = (name) => page.waitForSelector(`form[data-step=${name}]:not([hidden])`, { timeout: 20_000 });
  const press = (name) => page.click(`form:not([hidden]) button[name=${name}]`);
  const here = async () => {
    await step('complete');
    const said = await page.textContent('#hello');
    if (!/^Hello usr_\w+: .*aal2-phishing-resistant$/.test(said)) throw new Error(said);
  };

  await page.goto(at);
  await step('needs_identifier');
  await page.fill('[name=email]', ana);
  await press('signUp');
  await step('needs_verification');
  await page.fill('form:not([hidden]) [name=code]', await inbox(postern, ana, seen));
  await press('answer');
  await here();

  await press('codes');
  await page.waitForFunction(() => document.querySelector('#codes').textContent.split('\n').length === 10, null, { timeout: 20_000 });
  const [code, another] = (await page.textContent('#codes')).split('\n');
  const again = async () => {
    await press('signOut');
    await step('needs_identifier');
    await press('signIn');
    await here();
  };
  await again();

  await press('signOut');
  await step('needs_identifier');
  await losePasskeys();
  await page.fill('[name=email]', ana);
  await press('lost');
  await step('needs_verification');
  await page.fill('form:not([hidden]) [name=code]', await inbox(postern, ana, seen));
  await press('answer');
  await step('needs_second_factor');
  await page.fill('form:not([hidden]) [name=code]', code);
  await press('recovery');
  await step('complete');
  page.once('dialog', (dialog) => dialog.accept(another));
  const added = page.waitForResponse((answer) => answer.url().endsWith('/activate') && answer.ok());
  await press('add');
  await added;
  await again();
});
console.log('signed in with nothing but a passkey');
