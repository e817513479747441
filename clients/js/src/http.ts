// One call: JSON or a form in, JSON or a PosternError out.

import { PosternError, refusal } from './error.ts';

/** What a call carries. */
export interface Sent {
  /** The bearer token. */
  token?: string | undefined;
  json?: unknown;
  form?: Record<string, string>;
}

export type Send = <T>(method: string, path: string, sent?: Sent) => Promise<T>;

/** How long an answer may take: a call that hangs would hold the lock of the other tabs. */
const PATIENCE = 30_000;

/** Calls of one server. No cookie is ever sent. */
export const sender =
  (base: string, fetcher: typeof fetch): Send =>
  async (method, path, { token, json, form } = {}) => {
    const headers: Record<string, string> = {};
    if (token) headers.authorization = `Bearer ${token}`;
    if (json) headers['content-type'] = 'application/json';
    const body = json ? JSON.stringify(json) : form && new URLSearchParams(form);
    const signal = AbortSignal.timeout(PATIENCE);
    const answer = await fetcher(base + path, { method, headers, body: body ?? null, credentials: 'omit', signal }).catch((cause) => {
      throw new PosternError('network', 'The server could not be reached.', { cause });
    });
    const read = await answer.json().catch(() => undefined);
    if (!answer.ok) throw refusal(answer, read);
    return read;
  };
