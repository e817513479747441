// What the type checker has to say of a page's code: `tsc` reads it, nothing runs it.
import { type Flow, PosternError, createClient } from '../src/index.ts';

const postern = createClient({ url: 'https://login.example.com', clientId: 'app_1', storage: localStorage });

export const aFlow = async (flow: Flow): Promise<void> => {
  const step: 'needs_identifier' | 'needs_first_factor' | 'needs_verification' | 'needs_second_factor' | 'needs_enrolment' | 'needs_new_password' | 'complete' | 'abandoned' | 'blocked' = flow.step;
  // @ts-expect-error a step that there is not
  if (step === 'done') return;
  await (await flow.identify('ana@example.com')).password('lilac otter');
  await flow.prove(flow.options[0]!, { rememberDevice: true });
  await flow.enrol({ type: 'phone', phone: '+14155552671', channel: 'voice' });
  // @ts-expect-error a type of factor that cannot be enrolled
  await flow.enrol({ type: 'password' });
  // @ts-expect-error a code is a text
  await flow.answer(123456);
  const qr: string | null | undefined = flow.enrolment?.totp?.qr_svg;
  const to: string | null | undefined = flow.challenge?.to;
  void [qr, to, postern];
};

export const anError = (error: PosternError): string => {
  if (error.code === 'form_code_incorrect') return `${error.attemptsLeft} left`;
  if (error.stepUp) return error.stepUp.acrValues;
  return error.errors.map(({ field, detail }) => `${field}: ${detail}`).join() || error.detail;
};

export const theirSecurity = async (): Promise<void> => {
  const { data: sessions } = await postern.me('GET /v1/me/sessions', { limit: 5 });
  const current: boolean = sessions[0]!.current;
  const nothing: undefined = await postern.me('DELETE /v1/me/sessions/{id}', { id: sessions[0]!.id });
  const codes: string[] | null = (await postern.me('POST /v1/me/recovery-codes')).recovery_codes;
  await postern.me('PATCH /v1/me', { name: 'Ana' });
  // @ts-expect-error a call that there is not
  await postern.me('DELETE /v1/me');
  // @ts-expect-error the path needs its id
  await postern.me('DELETE /v1/me/sessions/{id}', {});
  // @ts-expect-error a field that there is not
  await postern.me('PATCH /v1/me', { nom: 'Ana' });
  const challenge = await postern.stepUp({ type: 'totp' });
  if (challenge) await postern.me('POST /v1/me/step-up/{cid}/answer', { cid: challenge.id, code: '123456' });
  void [current, nothing, codes];
};
