// The form: every button is an act on the flow, and after each act the page shows the flow's step.
import { account } from './account.js';
import { postern } from './client.js';
import { say, show } from './view.js';

let flow = postern.isSignedIn ? undefined : await postern.resume();
const remember = (form) => ({ rememberDevice: !!form.remember });

const acts = {
  start: () => {},
  signIn: async () => (flow = await postern.signIn()),
  signUp: async () => (flow = await postern.signUp()),
  forgotten: async () => (flow = await postern.resetPassword()),
  identify: ({ identifier }) => flow.identify(identifier),
  password: ({ identifier, password }) => flow.password(password, identifier),
  passkey: () => flow.passkey(),
  newPasskey: async ({ identifier }) => (await flow.identify(identifier)).passkey({ name: 'This device' }),
  prove: (form, option) => flow.prove(flow.options[option], remember(form)),
  other: () => flow.other(),
  again: () => flow.resend(),
  code: (form) => (flow.challenge ? flow.answer(form.code, remember(form)) : flow.recoveryCode(form.code)),
  enrol: ({ phone }, type) => flow.enrol(type === 'phone' ? { type, phone } : { type }),
  activate: ({ code }) => flow.activate(code),
  skip: () => flow.skip(),
  newPassword: ({ password }) => flow.newPassword(password),
  ...account,
};

const tell = (error) => say(error.detail ?? String(error));
const act = async (name, form, value) => {
  say('');
  await Promise.resolve(acts[name](form, value)).catch(tell);
  if (['complete', 'abandoned'].includes(flow?.step)) flow = undefined;
  try {
    if (!flow && !postern.isSignedIn) flow = await postern.signIn();
    await show(flow);
  } catch (error) {
    // A session that was ended elsewhere ends here, too.
    await (error.code === 'signed_out' ? act('start') : tell(error));
  }
};
addEventListener('submit', (event) => {
  if (event.target.method === 'dialog') return;
  event.preventDefault();
  act(event.submitter.name, Object.fromEntries(new FormData(event.target)), event.submitter.value);
});
await act('start');
