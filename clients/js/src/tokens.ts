// The tokens of the person who is signed in: kept, refreshed before they expire, one refresh at a time over all tabs.

import { decode } from './bytes.ts';
import { PosternError } from './error.ts';
import type { Send } from './http.ts';
import type { TokenAnswer } from './types.ts';

/** The part of `Storage` that is used. */
export type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** What is kept. */
interface Held {
  access: string;
  /** By this machine's clock, in milliseconds: only durations cross the network. */
  expires: number;
  refresh?: string | undefined;
  id?: string | undefined;
}

/** Refreshed this long before it expires, in milliseconds. */
const MARGIN = 30_000;

/** A store that lives as long as the page. */
export const memory = (): Store => {
  const kept = new Map<string, string>();
  return {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => void kept.set(name, value),
    removeItem: (name) => void kept.delete(name),
  };
};

const claimsOf = (token: string | undefined): Record<string, unknown> | undefined => {
  const payload = token?.split('.')[1];
  return payload ? JSON.parse(new TextDecoder().decode(decode(payload))) : undefined;
};

const signedOut = (cause?: unknown) => new PosternError('signed_out', 'Nobody is signed in.', { cause });

/** The tokens of one app. */
export class Tokens {
  readonly #send: Send;
  readonly #store: Store;
  readonly #name: string;
  readonly #client: string;
  #refreshing: Promise<string> | undefined;

  constructor(send: Send, store: Store, client: string) {
    this.#send = send;
    this.#store = store;
    this.#client = client;
    this.#name = `postern.tokens.${client}`;
  }

  /** What is kept now; another tab may have changed it. */
  get held(): Held | undefined {
    return JSON.parse(this.#store.getItem(this.#name) ?? 'null') ?? undefined;
  }

  /** The claims of the ID token. It came straight from the server, so its signature is not looked at here. */
  get claims(): Record<string, unknown> | undefined {
    return claimsOf(this.held?.id);
  }

  /** Exchanges a code, and keeps what comes. */
  exchange(code: string, verifier: string, redirect?: string): Promise<string> {
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, ...(redirect && { redirect_uri: redirect }) };
    return this.#lock(() => this.#take(form));
  }

  /** An access token that is good for a while yet. `refused` is one that a server did not take. */
  async access(refused?: string): Promise<string> {
    const held = this.held;
    if (!held) throw signedOut();
    if (held.access !== refused && held.expires - Date.now() > MARGIN) return held.access;
    return (this.#refreshing ??= this.#lock(() => this.#refresh(refused)).finally(() => (this.#refreshing = undefined)));
  }

  /** Takes the access token that a step-up gave. The refresh token goes on. */
  renew({ access_token: access, expires_in: life, id_token: id }: Pick<TokenAnswer, 'access_token' | 'expires_in' | 'id_token'>): Promise<void> {
    return this.#lock(async () => {
      // Who has signed out meanwhile stays signed out.
      if (this.held) this.#keep({ ...this.held, access, expires: Date.now() + life * 1000, ...(id && { id }) });
    });
  }

  /** Forgets the tokens, and ends the session where it can be reached. */
  async end(): Promise<void> {
    await this.#lock(async () => {
      const { refresh, access } = this.held ?? {};
      this.#store.removeItem(this.#name);
      if (refresh) await this.#send('POST', '/oauth2/v1/revoke', { form: { token: refresh, client_id: this.#client } });
      else if (access) await this.#send('DELETE', `/v1/me/sessions/${claimsOf(access)?.sid}`, { token: access });
    });
  }

  async #refresh(refused?: string): Promise<string> {
    const held = this.held;
    if (!held) throw signedOut();
    const left = held.access === refused ? 0 : held.expires - Date.now();
    // Another tab was faster.
    if (left > MARGIN) return held.access;
    try {
      if (!held.refresh) throw signedOut();
      return await this.#take({ grant_type: 'refresh_token', refresh_token: held.refresh });
    } catch (error) {
      // It lives on for some seconds; the next call tries again.
      if (left > 0) return held.access;
      const { code } = error as PosternError;
      if (code !== 'invalid_grant' && code !== 'signed_out') throw error;
      // Where there are no locks, another tab may have been faster after all.
      const now = this.held;
      if (now && now.refresh !== held.refresh) return now.access;
      this.#store.removeItem(this.#name);
      throw signedOut(error);
    }
  }

  async #take(form: Record<string, string>): Promise<string> {
    const answer = await this.#send<TokenAnswer>('POST', '/oauth2/v1/token', { form: { ...form, client_id: this.#client } });
    const held: Held = {
      access: answer.access_token,
      expires: Date.now() + answer.expires_in * 1000,
      refresh: answer.refresh_token,
      // A refresh may give no new one.
      id: answer.id_token ?? (form.refresh_token && this.held?.id) ?? undefined,
    };
    this.#keep(held);
    return held.access;
  }

  #keep(held: Held): void {
    this.#store.setItem(this.#name, JSON.stringify(held));
  }

  #lock<T>(act: () => Promise<T>): Promise<T> {
    return globalThis.navigator?.locks ? (navigator.locks.request(this.#name, act) as Promise<T>) : act();
  }
}
