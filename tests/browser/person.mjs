// What a person has beside the browser: a mailbox, and an authenticator app.
import { createHmac } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/**
 * An authenticator app with a secret in base 32 (RFC 6238). Each of its codes works once, so each call gives that of
 * another step: the one before this, this one, and then it waits for the next.
 */
export const authenticator = (secret) => {
  const bits = [...secret.replace(/[^A-Z2-7]/g, '')].map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const now = () => Math.floor(Date.now() / 30_000);
  let last = 0;
  return async () => {
    last = Math.max(last + 1, now() - 1);
    while (now() < last) await new Promise((later) => setTimeout(later, 200));
    const step = Buffer.alloc(8);
    step.writeBigUInt64BE(BigInt(last));
    const mac = createHmac('sha1', key).update(step).digest();
    return String((mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
  };
};

/** The newest code that was sent to an address or a number and is not in `seen`; waits for it. */
export const inbox = async (postern, to, seen = new Set()) => {
  for (let tries = 0; tries < 100; tries += 1) {
    const messages = await (await fetch(`${postern}/dev/inbox.json?to=${encodeURIComponent(to)}`)).json();
    const found = messages.find(({ id, code }) => code && !seen.has(id));
    if (found) {
      seen.add(found.id);
      return found.code;
    }
    await new Promise((later) => setTimeout(later, 100));
  }
  throw new Error(`no code for ${to}`);
};
