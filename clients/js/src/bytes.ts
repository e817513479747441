// base64url without padding (RFC 4648 §5), and PKCE (RFC 7636).

import { PosternError } from './error.ts';

/** Bytes to base64url. */
export const encode = (bytes: ArrayBuffer | Uint8Array): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '');

/** base64url to bytes. */
export const decode = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (letter) => letter.charCodeAt(0));

/** A verifier of 256 bits and its S256 challenge (§4.1, §4.2). */
export const pkce = async (): Promise<{ verifier: string; challenge: string }> => {
  if (!crypto.subtle) throw new PosternError('insecure_page', 'This page needs https; http is enough on localhost only.');
  const verifier = encode(crypto.getRandomValues(new Uint8Array(32)));
  return { verifier, challenge: encode(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))) };
};
