// A real Chromium with an authenticator that is software, for pages and guides. CHROMIUM names one; on Linux the one
// that npm carries is taken, elsewhere the Chrome that is installed.
import { chromium as playwright } from 'playwright-core';

const launch = async () => {
  if (process.env.CHROMIUM) return { executablePath: process.env.CHROMIUM };
  if (process.platform !== 'linux' || process.arch !== 'x64') return { channel: 'chrome' };
  const { default: carried } = await import('@sparticuz/chromium');
  // It comes with the web's own rules switched off: a page would call wherever it likes, without an Origin.
  const lax = ['--disable-web-security', '--allow-running-insecure-content', '--disable-site-isolation-trials'];
  return { executablePath: await carried.executablePath(), args: carried.args.filter((flag) => !lax.includes(flag)) };
};

/** Runs a test in a fresh page with a passkey authenticator that verifies its user; fails on any error of the page. */
export const inChromium = async (test) => {
  const found = await launch();
  const flags = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'];
  const browser = await playwright.launch({ ...found, args: [...(found.args ?? []), ...flags], headless: true });
  setTimeout(() => process.exit(1), 90_000).unref();
  try {
    const page = await browser.newPage();
    const errors = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    const session = await page.context().newCDPSession(page);
    await session.send('WebAuthn.enable');
    const options = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true,
      isUserVerified: true, automaticPresenceSimulation: true };
    const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', { options });
    await test(page, { losePasskeys: () => session.send('WebAuthn.clearCredentials', { authenticatorId }) });
    if (errors.length) throw new Error(errors.join('\n'));
  } finally {
    await browser.close();
  }
};
