// The calls of /v1/me, typed by the OpenAPI document: `me('DELETE /v1/me/sessions/{id}', { id })`.

import type { paths } from './api.ts';

type Method = 'get' | 'post' | 'patch' | 'delete';
type MePath = keyof paths & `/v1/me${string}`;
type Offered<P extends MePath> = { [M in Method]: paths[P][M] extends { responses: unknown } ? M : never }[Method];
type Operation<C> = C extends `${infer M} ${infer P}` ? (P extends MePath ? paths[P][Lowercase<M> & Method] : never) : never;

/** What is not there adds nothing. */
type Given<T> = [Exclude<T, undefined>] extends [never] ? unknown : Exclude<T, undefined>;
type InPath<O> = O extends { parameters: { path?: infer Path } } ? Given<Path> : unknown;
type InQuery<O> = O extends { parameters: { query?: infer Query } } ? Given<Query> : unknown;
type Content<B> = B extends { content: { 'application/json': infer Json } } ? Json : never;
type Body<O> = O extends { requestBody?: infer B } ? Given<Content<Exclude<B, undefined>>> : unknown;
type Answered<O> = O extends { responses: infer R } ? { [S in keyof R]: S extends 200 | 201 | 204 ? Json<R[S]> : never }[keyof R] : never;
type Json<R> = R extends { content: { 'application/json': infer J } } ? J : undefined;

/** A call of `/v1/me`, as the API's reference names it. */
export type MeCall = { [P in MePath]: `${Uppercase<Offered<P>>} ${P}` }[MePath];
/** What goes into the path, the query and the body, in one object. */
export type MeInput<C extends MeCall> = InPath<Operation<C>> & InQuery<Operation<C>> & Body<Operation<C>>;
/** What comes back. */
export type MeAnswer<C extends MeCall> = Answered<Operation<C>>;

/** The method, the path and the body of a call: what the path names is taken out of the input. */
export const request = (call: string, input: Record<string, unknown> = {}): { method: string; path: string; json?: object } => {
  const rest = { ...input };
  const [method = '', template = ''] = call.split(' ');
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = encodeURIComponent(String(rest[name]));
    delete rest[name];
    return value;
  });
  if (method === 'POST' || method === 'PATCH') return { method, path, json: rest };
  const query = String(new URLSearchParams(rest as Record<string, string>));
  return { method, path: query ? `${path}?${query}` : path };
};
