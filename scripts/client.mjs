// Builds the browser client into clients/js/dist: one ES module, its source map, its types.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
await build({
  entryPoints: [at('clients/js/src/index.ts')],
  outfile: at('clients/js/dist/postern.js'),
  bundle: true,
  minify: true,
  sourcemap: true,
  format: 'esm',
  target: 'es2022',
});
execFileSync(process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', at('clients/js')], { stdio: 'inherit' });
