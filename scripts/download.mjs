// Downloads one published file: download.mjs URL FILE. Ends with 1, quietly, when it cannot be had
// within 20 seconds, so that a closed network falls back to compiling.
import { writeFile } from 'node:fs/promises';

const [url, file] = process.argv.slice(2);
try {
  const response = await fetch(url, { signal: AbortSignal.timeout(20_000) });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  await writeFile(file, Buffer.from(await response.arrayBuffer()));
} catch {
  process.exit(1);
}
