// The words of the API, by the names that this client gives them. What they are made of is generated: src/api.ts.

export type ProblemCode = string;
export interface FieldError { field: string; code: string; detail: string }
export type FlowType = 'sign_in' | 'sign_up' | 'password_reset';
export type Step =
  | 'needs_identifier' | 'needs_first_factor' | 'needs_verification' | 'needs_second_factor'
  | 'needs_enrolment' | 'needs_new_password' | 'complete' | 'abandoned' | 'blocked';
export type Channel = 'sms' | 'voice' | 'email';
export type FactorType = 'password' | 'phone' | 'email' | 'totp' | 'passkey' | 'recovery_codes';
export interface FlowOption { factor_id?: string; type: FactorType; role?: string; name?: string | null; to?: string | null }
export interface FlowChallenge {
  id: string; type: FactorType; channel: Channel | null; status: string; to?: string | null;
  expires_at: string; resend_at: string | null; attempts_left: number; public_key?: Record<string, unknown>;
}
export interface FlowState {
  id: string; type: FlowType; step: Step; reason: unknown; options: FlowOption[];
  skip?: { sign_ins_left: number | null; until: string | null } | null;
  challenge?: FlowChallenge | null; expires_at: string; token?: string; code?: string;
  redirect_uri?: string | null; acr?: string; amr?: string[]; device?: string;
}
export interface Enrolment {
  factor: { id: string; type: FactorType }; challenge: FlowChallenge | null;
  totp?: { secret: string; uri: string; qr_svg: string | null } | null; recovery_codes?: string[] | null;
  public_key?: Record<string, unknown>;
}
export interface NewFactor { type: FactorType; phone?: string; email?: string; channel?: Channel; name?: string }
export interface TokenAnswer { access_token: string; expires_in: number; refresh_token?: string; id_token?: string; scope: string }
export interface StepUp { type?: FactorType; factor_id?: string; channel?: Channel; password?: string }
