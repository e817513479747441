// The words of the API, by the names that this client gives them. What they are made of is generated: src/api.ts.

import type { components, operations } from './api.ts';

type Schemas = components['schemas'];
type Body<O> = O extends { requestBody?: { content: { 'application/json': infer Json } } } ? Json : never;

/** The closed list of what a server refuses with. */
export type ProblemCode = Schemas['Problem']['code'];
/** A field that is wrong. */
export type FieldError = NonNullable<Schemas['Problem']['errors']>[number];

/** What a flow is for. */
export type FlowType = Schemas['Flow']['type'];
/** A flow as the server tells it. */
export type FlowState = Schemas['Flow'];
/** What a flow wants next. */
export type Step = FlowState['step'];
/** What can be proven or enrolled at a step. */
export type FlowOption = FlowState['options'][number];
/** A proof that a flow waits for. */
export type FlowChallenge = Schemas['FlowChallenge'];
/** A factor that was begun to be added, with what is shown this once. */
export type Enrolment = Schemas['Enrolment'];
/** A factor of a person. */
export type Factor = Schemas['Factor'];
/** A factor to add. */
export type NewFactor = Body<operations['signInEnrol']>;
/** A type of factor. */
export type FactorType = FlowOption['type'];
/** How a code goes. */
export type Channel = NonNullable<FlowChallenge['channel']>;

/** What the token endpoint gives (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3). */
export type TokenAnswer = Schemas['Tokens'];
