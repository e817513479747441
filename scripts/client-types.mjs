// Writes the browser client's types of requests and answers from the OpenAPI document; --check fails when they are stale:
// cargo xtask openapi | node scripts/client-types.mjs [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import openapi, { astToString } from 'openapi-typescript';

const FILE = new URL('../clients/js/src/api.ts', import.meta.url);
/** What a browser calls. The three flows take the same; sign-ins stand for them. */
const OURS = /^\/(v1\/client\/sign-ins|v1\/me|oauth2\/v1)(\/|$)/;
/** What is told of an operation in more words than types have. */
const DROPPED = ['tags', 'description', 'security'];

const document = JSON.parse(await text(process.stdin));
const paths = Object.fromEntries(Object.entries(document.paths).filter(([path]) => OURS.test(path)));
for (const operation of Object.values(paths).flatMap((path) => Object.values(path))) {
  for (const name of DROPPED) delete operation[name];
  // Every refusal is a PosternError, and no header is the client's business.
  operation.parameters = operation.parameters?.filter((parameter) => parameter.in !== 'header');
  operation.responses = Object.fromEntries(Object.entries(operation.responses).filter(([status]) => status < 300));
  for (const response of Object.values(operation.responses)) delete response.headers;
}

// Only the schemas that these calls lead to, and what refusals are made of.
const schemas = {};
const follow = (node) => {
  for (const [key, value] of Object.entries(node ?? {})) {
    if (typeof value === 'object') follow(value);
    const name = key === '$ref' && value.split('/').at(-1);
    if (!name || name in schemas) continue;
    schemas[name] = document.components.schemas[name];
    follow(schemas[name]);
  }
};
follow([paths, { $ref: '/Problem' }]);

const tree = await openapi({ ...document, paths, components: { schemas } }, { exportType: true, emptyObjectsUnknown: true });
const wanted = `// The requests and answers that the browser client sees. Generated from the OpenAPI document: make generate.\n\n${astToString(tree)}`;
if (process.argv[2] !== '--check') writeFileSync(FILE, wanted);
else if (readFileSync(FILE, 'utf8') !== wanted) {
  console.error('clients/js/src/api.ts is stale: run `make generate` and commit it');
  process.exit(1);
}
