// Serves this folder and the browser client on http://localhost:3000: node server.mjs. No packages beside the project's.
// PORT is this page's port; POSTERN where Postern is, if not where `make dev` serves.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const { EXAMPLE_PORT = '3000', POSTERN = 'http://localhost:8787' } = process.env;
const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css' };
// Strict, as a page with a password field should be: nothing inline, nobody else's, and only Postern is called.
const POLICY = `default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src ${POSTERN}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const { outputFiles } = await build({ entryPoints: [at('../../clients/js/src/index.ts')], bundle: true, minify: true, format: 'esm', write: false });

const file = async (name) => {
  if (name === 'postern.js') return outputFiles[0].text;
  if (!/^[\w-]+\.(html|js|css)$/.test(name)) return undefined;
  const text = await readFile(at(name), 'utf8').catch(() => undefined);
  return text?.replace('http://localhost:8787', POSTERN);
};

createServer(async (request, response) => {
  const name = new URL(request.url, 'http://localhost').pathname.slice(1) || 'index.html';
  const text = request.method === 'GET' ? await file(name) : undefined;
  const headers = { 'content-type': TYPES[extname(name)] ?? 'text/plain', 'content-security-policy': POLICY, 'cache-control': 'no-store' };
  response.writeHead(text === undefined ? 404 : 200, headers).end(text ?? 'not found');
}).listen(Number(EXAMPLE_PORT), 'localhost', () => console.log(`example: http://localhost:${EXAMPLE_PORT}, messages in ${POSTERN}/dev/inbox`));
