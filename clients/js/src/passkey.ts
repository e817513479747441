// navigator.credentials with JSON on both sides (WebAuthn Level 3 §5.1.8 to §5.1.10), also where the browser cannot.

import { decode, encode } from './bytes.ts';
import { PosternError } from './error.ts';

type Options = Record<string, any>;
/** A credential as `toJSON()` writes it. */
export type CredentialJson = Record<string, unknown>;

/** The ceremony that waits: a browser runs one at a time. */
let waiting: AbortController | undefined;

/** Ends a ceremony that waits, such as the autofill of an identifier's field. */
export const interrupt = (): void => waiting?.abort();

/** Whether this browser has passkeys. */
export const hasPasskeys = (): boolean => typeof PublicKeyCredential === 'function';

/** Whether passkeys can be offered in the autofill of an `autocomplete="username webauthn"` field. */
export const hasPasskeyAutofill = async (): Promise<boolean> =>
  hasPasskeys() && ((await PublicKeyCredential.isConditionalMediationAvailable?.()) ?? false);

/** Makes a passkey from `PublicKeyCredentialCreationOptionsJSON`. */
export const createPasskey = (options: Options): Promise<CredentialJson> =>
  ceremony(async (signal) => {
    const publicKey =
      PublicKeyCredential.parseCreationOptionsFromJSON?.(options as PublicKeyCredentialCreationOptionsJSON) ??
      ({ ...parsed(options, 'excludeCredentials'), user: { ...options.user, id: decode(options.user.id) } } as any);
    return navigator.credentials.create({ publicKey, signal });
  });

/** Asks for a passkey with `PublicKeyCredentialRequestOptionsJSON`; `autofill` waits for the person to choose one. */
export const getPasskey = (options: Options, autofill = false): Promise<CredentialJson> =>
  ceremony(async (signal) => {
    const publicKey =
      PublicKeyCredential.parseRequestOptionsFromJSON?.(options as PublicKeyCredentialRequestOptionsJSON) ??
      (parsed(options, 'allowCredentials') as any);
    return navigator.credentials.get({ publicKey, signal, ...(autofill && { mediation: 'conditional' as const }) });
  });

/** One ceremony; what ends it is told as a PosternError. */
const ceremony = async (run: (signal: AbortSignal) => Promise<Credential | null>): Promise<CredentialJson> => {
  interrupt();
  if (!hasPasskeys()) throw new PosternError('passkey_unsupported', 'This browser has no passkeys.');
  const { signal } = (waiting = new AbortController());
  try {
    const credential = (await run(signal)) as PublicKeyCredential;
    return credential.toJSON ? (credential.toJSON() as any) : written(credential);
  } catch (cause) {
    throw new PosternError('passkey_cancelled', 'No passkey was used.', { cause });
  }
};

const parsed = (options: Options, list: string): Options => ({
  ...options,
  challenge: decode(options.challenge),
  [list]: options[list]?.map((known: Options) => ({ ...known, id: decode(known.id) })),
});

const written = (credential: PublicKeyCredential): CredentialJson => {
  const response: Record<string, unknown> = {};
  const given = credential.response as any;
  for (const name of ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle']) {
    if (given[name]) response[name] = encode(given[name]);
  }
  if (given.getTransports) response.transports = given.getTransports();
  const { id, type, authenticatorAttachment } = credential;
  return { id, rawId: id, type, authenticatorAttachment, response, clientExtensionResults: credential.getClientExtensionResults() };
};
