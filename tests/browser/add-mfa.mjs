// Adds a passkey on the guide's page and signs in with it, as the guide tells its reader to.
import { inChromium } from './chromium.mjs';

await inChromium(async (page) => {
  await page.goto(process.argv[2]);
  const says = (text) => page.waitForFunction((text) => document.getElementById('state').textContent === text, text, { timeout: 20_000 });
  const signIn = async () => {
    await page.fill('[name=password]', 'correct horse');
    await page.click('#login button');
  };
  await page.fill('[name=password]', 'wrong');
  await page.click('#login button');
  await says('wrong');
  await signIn();
  await says('needs_second_factor');
  await page.click('#add');
  await says('passkey active');
  await page.reload();
  await signIn();
  await says('needs_second_factor');
  await page.click('#use');
  await says('satisfied, AAL2');
});
console.log('the browser signed in with a passkey');
