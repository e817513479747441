// What this page needs of Postern, through the server API: its origin in the demo app, and every factor switched on.
// Run by `npm run example` beside `make dev`; running it again changes nothing.
import { readFile } from 'node:fs/promises';

const { EXAMPLE_PORT = '3000', POSTERN = 'http://localhost:8787' } = process.env;
const APP = 'app_00000000000000000000000000';
const origin = `http://localhost:${EXAMPLE_PORT}`;

const vars = await readFile('.dev.vars', 'utf8').catch(() => '');
const key = /^SERVER_API_KEY=(.*)$/m.exec(vars)?.[1];
if (!key) throw new Error('there is no SERVER_API_KEY in .dev.vars: run make dev first');

const patch = async (path, change) => {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const answer = await fetch(POSTERN + path, { method: 'PATCH', headers, body: JSON.stringify(change) }).catch(() => {
    throw new Error(`${POSTERN} does not answer: run make dev, or say POSTERN=…`);
  });
  if (!answer.ok) throw new Error(`PATCH ${path}: ${await answer.text()}`);
};
await patch(`/v1/apps/${APP}`, { origins: [origin] });
await patch('/v1/instance', {
  multi_factor: {
    enforce_enrolment: ['totp', 'passkey', 'phone', 'email'],
    passkey: { enabled: true, rp_id: 'localhost', origins: [POSTERN, origin] },
    recovery_codes: { enabled: true },
    remember_device: { enabled: true },
  },
});
console.log(`example: passkeys, recovery codes and remembered devices are on, and ${origin} may call`);
