// The account: the person's own factors, sessions and password. A change that needs a fresh proof asks for it.
import { postern } from './client.js';
import { button, say, showTotp, title } from './view.js';

const $ = (id) => document.getElementById(id);
let adding;

/** Does it; where it needs a proof of who is here, asks for one, and does it again. */
const proven = async (change) => {
  try {
    return await change();
  } catch (error) {
    if (!error.stepUp) throw error;
    await prove();
    return change();
  }
};

/** The acts of the account's buttons, by name. */
export const account = {
  signOut: () => postern.signOut(),
  addPasskey: () => proven(() => postern.addPasskey('This device')),
  addTotp: async () => {
    adding = await proven(() => postern.me('POST /v1/me/factors', { type: 'totp', name: 'Authenticator app' }));
    showTotp($('totp').querySelector('[data-shown]'), adding.totp);
  },
  activateTotp: async ({ code }) => {
    await postern.me('POST /v1/me/factors/{id}/activate', { id: adding.factor.id, challenge_id: adding.challenge.id, code });
    adding = undefined;
  },
  remove: (_, id) => proven(() => postern.me('DELETE /v1/me/factors/{id}', { id })),
  recoveryCodes: async () => {
    const { recovery_codes: codes } = await proven(() => postern.me('POST /v1/me/recovery-codes'));
    $('codes').textContent = `Keep them where you will find them. Each works once.\n\n${codes.join('\n')}`;
  },
  changePassword: async ({ password }) => {
    await proven(() => postern.me('POST /v1/me/password', { password }));
    say('Your password is changed.');
  },
  endSession: (_, id) => postern.me('DELETE /v1/me/sessions/{id}', { id }),
  endOthers: () => postern.me('DELETE /v1/me/sessions'),
};

/** Shows the account as it is. */
export const showAccount = async () => {
  const [me, { data: factors }, { data: sessions }] = await Promise.all(
    ['GET /v1/me', 'GET /v1/me/factors', 'GET /v1/me/sessions'].map((call) => postern.me(call)));
  const { acr, amr } = postern.claims;
  $('who').textContent = me.email ?? me.name ?? me.id;
  $('how').textContent = `${acr.split(':').at(-1)} by ${amr.join(', ')}`;
  $('factors').replaceChildren(...factors.filter(({ status }) => status === 'active')
    .map((factor) => row(title(factor), factor.type === 'password' ? undefined : button('remove', factor.id, 'Remove'))));
  $('sessions').replaceChildren(...sessions.map((session) =>
    row(`${session.user_agent ?? 'Unknown'}, since ${new Date(session.created_at).toLocaleString()}`,
      session.current ? Object.assign(document.createElement('small'), { textContent: 'this one' }) : button('endSession', session.id, 'End'))));
  $('totp').hidden = !adding;
  $('codes').hidden = !$('codes').textContent;
};

const row = (text, end) => {
  const item = document.createElement('li');
  item.append(text, ...(end ? [end] : []));
  return item;
};

/** Asks for a proof in the dialog; ends when one was given, throws when the person cancels. */
const prove = async () => {
  const { options } = await postern.me('GET /v1/me/step-up');
  const dialog = $('proof');
  const [label, submit] = [dialog.querySelector('label'), dialog.querySelector('[name=proof]')];
  label.hidden = submit.hidden = true;
  $('proofs').replaceChildren(...options.map((option, index) => button('choose', index, title(option))));
  for (let challenge; ; ) {
    const chosen = await closed(dialog);
    const { value } = dialog.querySelector('[name=answer]');
    const factor = options[chosen];
    try {
      if (factor?.type === 'passkey') return await postern.stepUp({ factor_id: factor.id });
      if (factor) {
        challenge = factor.type === 'password' ? undefined : await postern.stepUp({ factor_id: factor.id });
        label.hidden = submit.hidden = false;
        $('proof-label').textContent = factor.type === 'password' ? 'Password' : 'Code';
        label.querySelector('input').type = factor.type === 'password' ? 'password' : 'text';
      } else if (chosen !== 'answer') throw new Error('Nothing was changed.');
      else if (!challenge) return await postern.stepUp({ type: 'password', password: value });
      else return await postern.me('POST /v1/me/step-up/{cid}/answer', { cid: challenge.id, code: value });
    } catch (error) {
      if (!error.code) throw error;
      say(error.detail);
    }
  }
};

const closed = (dialog) => new Promise((done) => {
  dialog.querySelector('[name=answer]').value = '';
  dialog.returnValue = '';
  dialog.addEventListener('close', () => done(dialog.returnValue), { once: true });
  dialog.showModal();
});
