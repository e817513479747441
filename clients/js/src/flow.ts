// A flow: sign-in, sign-up or password reset, step by step, until its code has become tokens.

import { PosternError } from './error.ts';
import type { Send } from './http.ts';
import { createPasskey, getPasskey, interrupt } from './passkey.ts';
import type { Store, Tokens } from './tokens.ts';
import type { Channel, Enrolment, FlowChallenge, FlowOption, FlowState, FlowType, NewFactor, Step } from './types.ts';

/** Where each type of flow lives. */
export const PATHS: Record<FlowType, string> = {
  sign_in: '/v1/client/sign-ins',
  sign_up: '/v1/client/sign-ups',
  password_reset: '/v1/client/password-resets',
};

/** What a reload of the page must not lose. */
export interface Kept {
  type: FlowType;
  id: string;
  token: string;
  verifier: string;
  redirect?: string | undefined;
  /** The challenge that waits for its answer: the server names it once. */
  challenge?: FlowChallenge | undefined;
  /** The authorization code, until it is exchanged. */
  code?: string | undefined;
}

/** What a flow works with. */
export interface Surroundings {
  send: Send;
  tokens: Tokens;
  /** Keeps the flow over a reload. */
  tab: Store;
  /** Keeps the remembered device. */
  browser: Store;
  client: string;
}

export const flowName = (client: string): string => `postern.flow.${client}`;
export const deviceName = (client: string): string => `postern.device.${client}`;

/** A flow. `step` says what is wanted; every call ends with the next step, or throws a `PosternError`. */
export class Flow {
  /** What the server last said. */
  state: FlowState;
  /** What was chosen of the `options` last, until it is proven or put aside. */
  asked: FlowOption | undefined;
  /** The enrolment that waits for its proof, with what is shown this once. */
  enrolment: Enrolment | undefined;
  readonly #with: Surroundings;
  readonly #kept: Kept;

  /** Made by the client. */
  constructor(surroundings: Surroundings, kept: Kept, state: FlowState) {
    this.#with = surroundings;
    this.#kept = kept;
    this.state = state;
  }

  /** What comes next. */
  get step(): Step {
    return this.state.step;
  }

  /** What can be proven or enrolled now, the default first. */
  get options(): FlowOption[] {
    return this.state.options;
  }

  /** The challenge that waits for its answer. */
  get challenge(): FlowChallenge | undefined {
    return this.#kept.challenge;
  }

  /** Who it is: an address, or a number. */
  identify(identifier: string): Promise<this> {
    return this.#step('/identifier', { identifier });
  }

  /** Proves the password, or sets a sign-up's; with the identifier where it was not said yet. */
  password(password: string, identifier?: string): Promise<this> {
    return this.#step('/password', { password, identifier });
  }

  /**
   * Signs in with a passkey, or makes a sign-up's first one. `autofill: true` waits until the person chooses one in the
   * autofill of the identifier's field; any other call ends the waiting.
   */
  async passkey({ name, autofill }: { name?: string; autofill?: boolean } = {}): Promise<this> {
    const { public_key: options } = await this.#call<FlowChallenge>('POST', '/passkey/options');
    const credential = await (this.state.type === 'sign_up' ? createPasskey(options!) : getPasskey(options!, autofill));
    return this.#step('/passkey', { credential, name });
  }

  /** Gives a recovery code. */
  recoveryCode(code: string): Promise<this> {
    return this.#step('/recovery-code', { code }, true);
  }

  /**
   * Asks for a proof of one of the `options`, or for the code to the address. A code is sent; a passkey is asked for and
   * answered at once; of recovery codes nothing is asked, `recoveryCode` gives one.
   */
  async prove(option: FlowOption & { channel?: Channel }, { rememberDevice }: Remember = {}): Promise<this> {
    this.other();
    const { factor_id, type, channel } = option;
    if (type !== 'recovery_codes') {
      const challenge = await this.#call<FlowChallenge>('POST', '/challenges', factor_id ? { factor_id, channel } : { type, channel });
      if (challenge.public_key) {
        const credential = await getPasskey(challenge.public_key);
        return this.#step(`/challenges/${challenge.id}/answer`, { credential, remember_device: rememberDevice }, true);
      }
      this.#await(challenge);
    }
    this.asked = option;
    return this;
  }

  /** Puts what was chosen aside: the person tries another way. */
  other(): void {
    this.asked = undefined;
    this.#await(undefined);
  }

  /** Answers the challenge with what the person typed. */
  answer(code: string, { rememberDevice }: Remember = {}): Promise<this> {
    return this.#step(`/challenges/${this.challenge?.id}/answer`, { code, remember_device: rememberDevice }, true);
  }

  /** Sends another code, maybe by another channel. */
  async resend(channel?: Channel): Promise<this> {
    this.#await(await this.#call<FlowChallenge>('POST', `/challenges/${this.challenge?.id}/resend`, { channel }));
    return this;
  }

  /** Begins to enrol a factor; `activate` proves it. A passkey is made and proven at once. */
  async enrol(factor: NewFactor, { rememberDevice }: Remember = {}): Promise<this> {
    const enrolment = (this.enrolment = await this.#call<Enrolment>('POST', '/enrolments', factor));
    if (!enrolment.public_key) return this;
    const credential = await createPasskey(enrolment.public_key);
    return this.#step(`/enrolments/${enrolment.factor.id}/activate`, { credential, remember_device: rememberDevice });
  }

  /** Proves the factor that is being enrolled. */
  activate(code: string, { rememberDevice }: Remember = {}): Promise<this> {
    return this.#step(`/enrolments/${this.enrolment?.factor.id}/activate`, { code, remember_device: rememberDevice });
  }

  /** Puts an enrolment off, where `state.skip` allows it. */
  skip(): Promise<this> {
    return this.#step('/skip');
  }

  /** Sets the new password of a reset. */
  newPassword(password: string): Promise<this> {
    return this.#step('/new-password', { password });
  }

  /** Reads the flow again; neither sends nor changes anything. */
  async refresh(): Promise<this> {
    // The code of a completed flow is told once, and may wait here for its exchange.
    if (this.#kept.code) return this.#finish();
    return this.#take(await this.#call<FlowState>('GET', ''));
  }

  /** Gives the flow up. */
  async end(): Promise<void> {
    this.forget();
    await this.#call('DELETE', '');
  }

  /** A call that leads to the next step; `answers`: it is what the challenge waited for. */
  async #step(path: string, body?: object, answers = false): Promise<this> {
    const next = await this.#call<FlowState>('POST', path, body);
    this.enrolment = undefined;
    if (answers) this.other();
    return this.#take(next);
  }

  #await(challenge: FlowChallenge | undefined): void {
    this.#kept.challenge = challenge;
    this.keep();
  }

  async #take(state: FlowState): Promise<this> {
    this.state = state;
    if (state.challenge) this.#await(state.challenge);
    const { browser, client } = this.#with;
    if (state.device) browser.setItem(deviceName(client), state.device);
    if (state.step === 'abandoned') this.forget();
    if (state.step !== 'complete' || !state.code) return this;
    this.#kept.code = state.code;
    this.keep();
    return this.#finish();
  }

  async #finish(): Promise<this> {
    const { verifier, code, redirect } = this.#kept;
    try {
      await this.#with.tokens.exchange(code!, verifier, redirect);
    } catch (error) {
      // Without an answer nobody knows: `refresh` or a reload tries again.
      if ((error as PosternError).status) this.forget();
      throw error;
    }
    this.forget();
    return this;
  }

  async #call<T>(method: string, path: string, json?: object): Promise<T> {
    interrupt();
    const { type, id, token } = this.#kept;
    try {
      return await this.#with.send<T>(method, `${PATHS[type]}/${id}${path}`, { token, json });
    } catch (error) {
      const { code } = error as PosternError;
      // It has expired, or somebody else has taken it further.
      if (code === 'flow_token_invalid') {
        this.forget();
        this.state = { ...this.state, step: 'abandoned', options: [] };
      } else if (code === 'flow_step_mismatch' && method !== 'GET') await this.refresh();
      throw error;
    }
  }

  /** Keeps the flow over a reload. */
  keep(): void {
    const { tab, client } = this.#with;
    tab.setItem(flowName(client), JSON.stringify(this.#kept));
  }

  /** Ends what a reload would find. */
  forget(): void {
    const { tab, client } = this.#with;
    tab.removeItem(flowName(client));
  }
}

interface Remember {
  /** Whether this browser need not be asked for a second factor for a while. */
  rememberDevice?: boolean;
}
