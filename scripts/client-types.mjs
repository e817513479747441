// Writes the browser client's types of requests and answers from the OpenAPI document; --check fails when they are stale:
// cargo xtask openapi | node scripts/client-types.mjs [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import openapi, { astToString } from 'openapi-typescript';

const FILE = new URL('../clients/js/src/api.ts', import.meta.url);
/** What a browser calls. */
const OURS = /^\/(v1\/client|v1\/me|oauth2\/v1)(\/|$)/;

const document = JSON.parse(readFileSync(0, 'utf8'));
const paths = Object.fromEntries(Object.entries(document.paths).filter(([path]) => OURS.test(path)));

// Only the schemas that these calls lead to.
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
follow(paths);

const tree = await openapi({ ...document, paths, components: { schemas } }, { exportType: true });
const wanted = `// The requests and answers that the browser client sees. Generated from the OpenAPI document: make generate.\n\n${astToString(tree)}`;
if (process.argv[2] !== '--check') writeFileSync(FILE, wanted);
else if (readFileSync(FILE, 'utf8') !== wanted) {
  console.error('clients/js/src/api.ts is stale: run `make generate` and commit it');
  process.exit(1);
}
