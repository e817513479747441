// The requests and answers that the browser client sees. Generated from the OpenAPI document: make generate.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export type components = {
    schemas: never;
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
};
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
