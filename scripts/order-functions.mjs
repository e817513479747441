// Orders the functions of a Wasm module so that it compresses well: node scripts/order-functions.mjs IN OUT
// gzip finds a repetition within the last 32 KiB only, so functions that resemble each other have to be neighbours.
// What is written is IN with names that sort in that order; `wasm-opt --reorder-functions-by-name` then moves them.
import { readFileSync, writeFileSync } from 'node:fs';

// How many bytes in a row count as a repetition, and within how many bytes it pays (docs/decisions/0046).
const RUN = 6;
const WINDOW = 33000;
// What half of all functions have is found in the window anyway.
const COMMON = 2000;

// What the specification calls them: https://webassembly.github.io/spec/core/binary/modules.html
const SECTIONS = { custom: 0, import: 2, code: 10 };
const FUNCTION = 0;
const TAG = 4;

const [, , from, to] = process.argv;
const { functions, imported, sections } = read(readFileSync(from));
writeFileSync(to, withNames(sections, imported, order(functions)));

/** The bodies of the functions, how many others are imported, and every section but the names. */
function read(bytes) {
  const found = { functions: [], imported: 0, sections: [bytes.subarray(0, 8)] };
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  const skip = () => {
    const length = number();
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const start = at;
    const id = bytes[at++];
    const length = number();
    const end = at + length;
    if (id === SECTIONS.import) {
      for (let left = number(); left > 0; left--) {
        skip();
        skip();
        const kind = bytes[at++];
        if (kind !== FUNCTION && kind !== TAG) throw new Error(`order-functions: an import is of kind ${kind}`);
        if (kind === TAG) at++;
        number();
        if (kind === FUNCTION) found.imported++;
      }
    }
    if (id === SECTIONS.code) for (let left = number(); left > 0; left--) found.functions.push(skip());
    if (id !== SECTIONS.custom || skip().toString() !== 'name') found.sections.push(bytes.subarray(start, end));
    at = end;
  }
  return found;
}

/** The functions' numbers, each the one that repeats most, for its size, of what stands in the window before it. */
function order(functions) {
  const runs = runsOf(functions);
  const having = [];
  runs.forEach((own, which) => own.forEach((run) => (having[run] ??= []).push(which)));
  const weight = having.map((who) => 1 / Math.log2(1 + who.length));
  const size = functions.map((body) => (body.length + 20) ** 0.7);
  const repeats = new Float64Array(functions.length);
  const inWindow = new Uint32Array(having.length);

  const ordered = [];
  const left = new Set(functions.keys());
  let oldest = 0;
  let bytes = 0;
  let next = 0;
  while (left.size > 0) {
    left.delete(next);
    ordered.push(next);
    bytes += functions[next].length;
    for (const run of runs[next]) if (inWindow[run]++ === 0) for (const which of having[run]) repeats[which] += weight[run];
    for (; bytes > WINDOW && oldest < ordered.length - 1; oldest++) {
      const gone = ordered[oldest];
      bytes -= functions[gone].length;
      for (const run of runs[gone]) if (--inWindow[run] === 0) for (const which of having[run]) repeats[which] -= weight[run];
    }
    let most = -Infinity;
    for (const which of left) {
      const gain = repeats[which] / size[which];
      if (gain > most) [most, next] = [gain, which];
    }
  }
  return ordered;
}

/** Per function, the runs that others have too, as small numbers. */
function runsOf(functions) {
  const hashed = functions.map((body) => {
    const own = new Set();
    for (let at = 0; at + RUN <= body.length; at++) {
      let hash = 0x811c9dc5;
      for (let i = at; i < at + RUN; i++) hash = Math.imul(hash ^ body[i], 0x01000193);
      own.add(hash);
    }
    return own;
  });
  const times = new Map();
  for (const own of hashed) for (const hash of own) times.set(hash, (times.get(hash) ?? 0) + 1);
  const ids = new Map();
  for (const [hash, count] of times) if (count > 1 && count <= COMMON) ids.set(hash, ids.size);
  return hashed.map((own) => [...own].map((hash) => ids.get(hash)).filter((id) => id !== undefined));
}

/** The sections, and a section of names in which the functions sort as ordered. */
function withNames(sections, imported, ordered) {
  const number = (value) => {
    const bytes = [];
    for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
    return Buffer.from([...bytes, value]);
  };
  const sized = (bytes) => Buffer.concat([number(bytes.length), bytes]);
  const name = (rank) => sized(Buffer.from(String(rank).padStart(6, '0')));
  const ranks = [...Array(imported).keys()];
  ordered.forEach((which, rank) => (ranks[imported + which] = imported + rank));
  const names = Buffer.concat([number(ranks.length), ...ranks.flatMap((rank, which) => [number(which), name(rank)])]);
  const section = Buffer.concat([sized(Buffer.from('name')), Buffer.from([1]), sized(names)]);
  return Buffer.concat([...sections, Buffer.from([SECTIONS.custom]), sized(section)]);
}
