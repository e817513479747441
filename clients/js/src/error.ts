// The one class of errors: what the server refuses, what the network does, what the person cancels.

import type { FieldError, ProblemCode } from './types.ts';

/** What the client itself can say, beside the server's codes. */
export type ClientCode = 'insecure_page' | 'network' | 'passkey_cancelled' | 'passkey_unsupported' | 'signed_out' | 'unexpected_answer';

/** What an answer says beyond its code. */
interface More {
  status?: number;
  errors?: FieldError[];
  retryAfter?: number | undefined;
  attemptsLeft?: number | undefined;
  stepUp?: { acrValues: string; maxAge: number } | undefined;
  cause?: unknown;
}

/** Something that did not work, and what can be done about it. */
export class PosternError extends Error {
  /** Which of the closed list: the server's problem codes, RFC 6749's, or the client's own. */
  readonly code: ProblemCode | ClientCode | (string & {});
  /** What happened, as a sentence. The same as `message`. */
  readonly detail: string;
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** The fields that are wrong. */
  readonly errors: FieldError[];
  /** Seconds to wait before the next try. */
  readonly retryAfter: number | undefined;
  /** How many more answers the challenge takes. */
  readonly attemptsLeft: number | undefined;
  /** What the person has to prove first (RFC 9470): call `stepUp`, then try again. */
  readonly stepUp: { acrValues: string; maxAge: number } | undefined;

  constructor(code: PosternError['code'], detail: string, more: More = {}) {
    super(detail, { cause: more.cause });
    this.name = 'PosternError';
    this.code = code;
    this.detail = detail;
    this.status = more.status ?? 0;
    this.errors = more.errors ?? [];
    this.retryAfter = more.retryAfter;
    this.attemptsLeft = more.attemptsLeft;
    this.stepUp = more.stepUp;
  }
}

/** Reads a refusal: a problem (RFC 9457), an OAuth error (RFC 6749 §5.2), or neither. */
export const refusal = (answer: Response, body: Record<string, any> | undefined): PosternError => {
  const status = answer.status;
  const code = body?.code ?? body?.error;
  if (!code) return new PosternError('unexpected_answer', `The server answered ${status}.`, { status });
  return new PosternError(code, body?.detail ?? body?.error_description ?? code, {
    status,
    errors: body?.errors ?? [],
    retryAfter: body?.retry_after ?? (Number(answer.headers.get('retry-after')) || undefined),
    attemptsLeft: body?.attempts_left,
    stepUp: body?.acr_values && { acrValues: body.acr_values, maxAge: Number(body.max_age) },
  });
};
