// What is shipped: small, one file, nothing beside it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const at = (path) => new URL(`../${path}`, import.meta.url).pathname;
/** The budget of the issue. */
const MOST = 6 * 1024;

test('the module is at most 6 KiB compressed, needs nothing, and does nothing when it is loaded', async () => {
  const { outputFiles } = await build({ entryPoints: [at('src/index.ts')], bundle: true, minify: true, format: 'esm', target: 'es2022', write: false });
  const text = outputFiles[0].text;
  const size = gzipSync(text, { level: 9 }).length;
  console.log(`client: ${size} bytes compressed, of ${MOST}`);
  assert.ok(size <= MOST, `${size} bytes`);
  assert.doesNotMatch(text, /\bimport\s*[("'{*]|\brequire\(/);
  const loaded = await import(`data:text/javascript,${encodeURIComponent(text)}`);
  assert.equal(typeof loaded.createClient, 'function');
  const described = JSON.parse(readFileSync(at('package.json'), 'utf8'));
  assert.equal(described.dependencies, undefined);
});
