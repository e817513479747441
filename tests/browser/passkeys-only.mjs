// Does what the guide tells its reader to do on its page; with `back`, what Ana does after the support desk has reset her
// account: passkeys-only.mjs PAGE POSTERN [back]
import { inChromium } from './chromium.mjs';
import { inbox } from './person.mjs';

const [at, postern, back] = process.argv.slice(2);
const ana = 'ana@example.com';
const seen = new Set((await (await fetch(`${postern}/dev/inbox.json`)).json()).map(({ id }) => id));

await inChromium(async (page, { losePasskeys }) => {
  const step = (name) => page.waitForSelector(`form[data-step=${name}]:not([hidden])`, { timeout: 20_000 });
  const press = (name) => page.click(`form:not([hidden]) button[name=${name}]`);
  const here = async () => {
    await step('complete');
    const said = await page.textContent('#hello');
    if (!/^Hello usr_\w+: .*aal2-phishing-resistant$/.test(said)) throw new Error(said);
  };

  const again = async () => {
    await press('signOut');
    await step('needs_identifier');
    await press('signIn');
    await here();
  };
  const returning = async () => {
    await step('needs_identifier');
    await page.fill('[name=email]', ana);
    await press('lost');
    await step('needs_verification');
    await page.fill('form:not([hidden]) [name=code]', await inbox(postern, ana, seen));
    await press('answer');
  };
  const add = async () => {
    const added = page.waitForResponse((answer) => answer.url().endsWith('/activate') && answer.ok());
    await press('add');
    await added;
  };

  await page.goto(at);
  if (back) {
    await returning();
    await step('complete');
    await add();
    return again();
  }
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
  await again();

  await press('signOut');
  await losePasskeys();
  await returning();
  await step('needs_second_factor');
  await page.fill('form:not([hidden]) [name=code]', code);
  await press('recovery');
  await step('complete');
  page.once('dialog', (dialog) => dialog.accept(another));
  await add();
  await again();
});
console.log(back ? 'came back' : 'signed in with nothing but a passkey');
