// Holds our signatures of webhooks against the library that Standard Webhooks publishes:
// cargo xtask signatures "$(date +%s)" | node scripts/verify-signatures.mjs
import { readFileSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';

const cases = JSON.parse(readFileSync(0, 'utf8'));
const refuses = (secret, body, headers) => {
  try {
    new Webhook(secret).verify(body, headers);
    return false;
  } catch {
    return true;
  }
};
for (const { secret, body, headers } of cases) {
  const [id, signature] = [headers['webhook-id'], headers['webhook-signature']];
  // Throws where it does not believe.
  const value = new Webhook(secret).verify(body, headers);
  if (JSON.stringify(value) !== JSON.stringify(JSON.parse(body))) throw new Error(`${id}: another body`);
  // While a secret is being replaced there are two signatures, in either order.
  const other = 'v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';
  for (const both of [`${signature} ${other}`, `${other} ${signature}`]) {
    new Webhook(secret).verify(body, { ...headers, 'webhook-signature': both });
  }
  const late = String(Number(headers['webhook-timestamp']) + 1);
  for (const [what, told, said] of [
    ['another body', `${body} `, headers],
    ['another id', body, { ...headers, 'webhook-id': `${id}x` }],
    ['another time', body, { ...headers, 'webhook-timestamp': late }],
    ['another signature', body, { ...headers, 'webhook-signature': other }],
  ]) {
    if (!refuses(secret, told, said)) throw new Error(`${id}: believed with ${what}`);
  }
}
if (cases.length === 0) throw new Error('nothing was signed');
console.log(`signatures: ${cases.length} of webhooks, as standardwebhooks verifies them`);
