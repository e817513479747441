// Postern in a browser: sign-in, sign-up and password reset behind your own form, passkeys, tokens, and the person's
// own security. No dependencies. `createClient` is where to begin.

import { pkce } from './bytes.ts';
import { PosternError } from './error.ts';
import { Flow, PATHS, deviceName, flowName, type Kept, type Surroundings } from './flow.ts';
import { sender } from './http.ts';
import { type MeAnswer, type MeCall, type MeInput, request } from './me.ts';
import { createPasskey, getPasskey } from './passkey.ts';
import { type Store, Tokens, memory } from './tokens.ts';
import type { Factor, FlowChallenge, FlowState, FlowType } from './types.ts';

export { PosternError } from './error.ts';
export { Flow } from './flow.ts';
export { createPasskey, getPasskey, hasPasskeyAutofill, hasPasskeys } from './passkey.ts';
export type * from './me.ts';
export type { Store } from './tokens.ts';
export type * from './types.ts';

/** What a client is made of. */
export interface Settings {
  /** Where Postern is: `https://login.example.com`. */
  url: string;
  /** The app: `app_…`. This page's origin has to be one of its `origins`. */
  clientId: string;
  /** Default: `openid offline_access`. Without `offline_access` there is no refresh token. */
  scope?: string;
  /** Default: none. One of the app's `redirect_uris`, exactly. */
  redirectUri?: string;
  /**
   * Where the tokens are kept. Default: the page's memory, gone with a reload. `localStorage` keeps people signed in over
   * reloads and tabs, and any script that gets into your page can read it.
   */
  storage?: Store;
  /** Default: the browser's. */
  fetch?: typeof fetch;
}

/** What a flow may begin with. */
export interface Begin {
  identifier?: string;
  /** The language of messages (BCP 47). */
  locale?: string;
  nonce?: string;
  /** Of a sign-up: the token of the link, after `#invitation=`. */
  invitation?: string;
  /** What Turnstile gave, where the instance asks for it. */
  botToken?: string;
}

const storage = (name: 'localStorage' | 'sessionStorage'): Store => {
  try {
    return globalThis[name] ?? memory();
  } catch {
    return memory();
  }
};

/** Makes the client of an app. One is enough for a page. */
export const createClient = (settings: Settings) => {
  const client = settings.clientId;
  const send = sender(settings.url.replace(/\/$/, ''), settings.fetch ?? ((...call) => fetch(...call)));
  const tokens = new Tokens(send, settings.storage ?? memory(), client);
  const browser = storage('localStorage');
  const surroundings: Surroundings = { send, tokens, browser, client, tab: storage('sessionStorage') };

  const begin = async (type: FlowType, { botToken, ...rest }: Begin): Promise<Flow> => {
    const { verifier, challenge } = await pkce();
    const device = type === 'sign_in' ? browser.getItem(deviceName(client)) : null;
    const json = {
      client_id: client,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      scope: settings.scope ?? 'openid offline_access',
      ...(settings.redirectUri && { redirect_uri: settings.redirectUri }),
      ...(botToken && { bot_token: botToken }),
      ...(device && { device }),
      ...rest,
    };
    const { token, ...state } = await send<FlowState>('POST', PATHS[type], { json });
    const kept = { type, id: state.id, token: token!, verifier, redirect: settings.redirectUri, challenge: state.challenge ?? undefined };
    const flow = new Flow(surroundings, kept, state);
    flow.keep();
    return flow;
  };

  /** One call of `/v1/me`: `me('GET /v1/me/sessions')`, `me('DELETE /v1/me/sessions/{id}', { id })`. */
  const me = async <C extends MeCall>(call: C, input?: MeInput<C>): Promise<MeAnswer<C>> => {
    const { method, path, json } = request(call, input as Record<string, unknown>);
    const token = await tokens.access();
    try {
      const answer = await send<any>(method, path, { token, json });
      // A step-up: the token now says what was proven.
      if (answer?.access_token) await tokens.renew(answer);
      return answer;
    } catch (error) {
      const { status, stepUp } = error as PosternError;
      if (status !== 401 || stepUp) throw error;
      // A token that the server does not take any more: once more with a new one.
      return send(method, path, { token: await tokens.access(token), json });
    }
  };

  return {
    /** Begins a sign-in. */
    signIn: (options: Begin = {}): Promise<Flow> => begin('sign_in', options),
    /** Begins a sign-up. */
    signUp: (options: Begin = {}): Promise<Flow> => begin('sign_up', options),
    /** Begins a password reset. */
    resetPassword: (options: Begin = {}): Promise<Flow> => begin('password_reset', options),

    /** The flow that this tab was in before the page was loaded anew, if it still goes on. */
    resume: async (): Promise<Flow | undefined> => {
      const kept: Kept | null = JSON.parse(surroundings.tab.getItem(flowName(client)) ?? 'null');
      if (!kept) return undefined;
      const { id, type } = kept;
      const flow = new Flow(surroundings, kept, { id, type, step: 'complete', options: [] } as unknown as FlowState);
      try {
        await flow.refresh();
      } catch (error) {
        if ((error as PosternError).code === 'network') throw error;
        flow.forget();
        return undefined;
      }
      return flow.step === 'abandoned' ? undefined : flow;
    },

    /** Whether somebody is signed in, as far as this browser knows. */
    get isSignedIn(): boolean {
      return !!tokens.held;
    },
    /** The ID token's claims: who is signed in (`sub`), and how (`acr`, `amr`, `auth_time`). For show; your server verifies. */
    get claims(): Record<string, unknown> | undefined {
      return tokens.claims;
    },
    /** The access token for your own API, refreshed where it is about to expire. Throws `signed_out`. */
    getAccessToken: (): Promise<string> => tokens.access(),
    /** Signs out: forgets the tokens, then ends the session. This browser stays remembered; see `forgetDevice`. */
    signOut: (): Promise<void> => tokens.end(),
    /** Forgets that this browser was remembered. */
    forgetDevice: (): void => browser.removeItem(deviceName(client)),

    me,
    /**
     * Proves again who is here, after an error with `stepUp`: by password, or by one of the options of
     * `me('GET /v1/me/step-up')`. A passkey is asked for and answered at once. Of a code the challenge comes back: answer it
     * with `me('POST /v1/me/step-up/{cid}/answer', { cid, code })`.
     */
    stepUp: async (how: MeInput<'POST /v1/me/step-up'> = {}): Promise<FlowChallenge | undefined> => {
      const begun = await me('POST /v1/me/step-up', how);
      if (!('id' in begun)) return undefined;
      if (!begun.public_key) return begun;
      const credential = await getPasskey(begun.public_key);
      await me('POST /v1/me/step-up/{cid}/answer', { cid: begun.id, credential });
      return undefined;
    },
    /** Adds a passkey to the person who is signed in. */
    addPasskey: async (name?: string): Promise<Factor> => {
      const { factor, challenge, public_key } = await me('POST /v1/me/factors', { type: 'passkey', ...(name && { name }) });
      const credential = await createPasskey(public_key!);
      return me('POST /v1/me/factors/{id}/activate', { id: factor.id, challenge_id: challenge!.id, credential });
    },
  };
};

/** A client, as `createClient` makes it. */
export type Client = ReturnType<typeof createClient>;
