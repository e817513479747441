// Replays what `cargo xtask traffic` prints, one line per code that somebody asks for, against a running `make dev`, and
// says what became of it. People read their code in the dev inbox and type it; attackers mostly do not. What lies hours
// apart in the simulation is asked for at once, one after the other, so that the same traffic ends the same way.
import { createInterface } from 'node:readline';

const { POSTERN = 'http://localhost:8787', SERVER_API_KEY } = process.env;
if (!SERVER_API_KEY) throw new Error('SERVER_API_KEY is not set: run this where .dev.vars is, after `. ./.dev.vars`');

const headers = { authorization: `Bearer ${SERVER_API_KEY}`, 'content-type': 'application/json' };
const call = async (method, path, body) => {
  const response = await fetch(POSTERN + path, { method, headers, body: body && JSON.stringify(body) });
  const json = await response.json();
  if (response.status >= 500) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(json)}`);
  return { status: response.status, json };
};

// Asks for a code, and types it, as this line's person would.
const live = async ({ to, client, answers }, counts) => {
  counts.asked += 1;
  const { status, json } = await call('POST', '/v1/challenges', { to, client });
  if (status !== 201) {
    counts.refused[json.code] = (counts.refused[json.code] ?? 0) + 1;
    return;
  }
  counts.sent += 1;
  if (!answers) return;
  const inbox = await call('GET', `/dev/inbox.json?to=${encodeURIComponent(to.phone)}`);
  const code = inbox.json.find((entry) => entry.code)?.code;
  const answered = await call('POST', `/v1/challenges/${json.id}/answer`, { code });
  if (answered.json.status === 'verified') counts.verified += 1;
};

const everybody = new Map();
for await (const line of createInterface({ input: process.stdin })) {
  const { who, ...asks } = JSON.parse(line);
  if (!everybody.has(who)) everybody.set(who, { asked: 0, sent: 0, verified: 0, refused: {} });
  await live(asks, everybody.get(who));
}
for (const [who, { asked, sent, verified, refused }] of everybody) {
  const codes = Object.entries(refused).map(([code, times]) => `, ${times} ${code}`);
  console.log(`${who}: ${asked} asked, ${sent} were sent a code, ${verified} typed it${codes.join('')}`);
}
