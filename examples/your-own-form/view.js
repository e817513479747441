// What the page shows: one view, chosen by the flow's step. Nothing here calls anybody.
import { showAccount } from './account.js';

const $ = (id) => document.getElementById(id);
const NAMES = { password: 'Password', phone: 'Code to your phone', email: 'Code by e-mail', totp: 'Authenticator app', passkey: 'Passkey', recovery_codes: 'Recovery code' };
/** What a person calls a factor. */
export const title = ({ type, name, to }) => [name ?? NAMES[type] ?? type, to].filter(Boolean).join(' ');

/** Tells the person something; screen readers read it out. */
export const say = (text) => ($('status').textContent = text);

/** A button of a list. */
export const button = (name, value, text) => Object.assign(document.createElement('button'), { name, value, textContent: text });

/** Shows what is shown once of a new authenticator app. */
export const showTotp = (place, { qr_svg: qr, secret }) => {
  const image = Object.assign(new Image(), { alt: 'QR code for your authenticator app', src: `data:image/svg+xml,${encodeURIComponent(qr)}` });
  const typed = Object.assign(document.createElement('code'), { textContent: secret });
  place.replaceChildren(image, 'Or enter ', typed);
};

const view = (flow) => {
  if (!flow) return 'account';
  const reset = flow.state.type === 'password_reset';
  switch (flow.step) {
    case 'needs_first_factor':
      return reset && flow.challenge ? 'code' : flow.state.type;
    case 'needs_verification':
      return 'code';
    case 'needs_second_factor':
      return flow.asked ? 'code' : 'choose';
    case 'needs_enrolment':
      return flow.enrolment ? 'activate' : 'enrol';
    case 'needs_new_password':
      return 'new_password';
    default:
      return flow.state.type;
  }
};

/** Shows the flow's step; without a flow the account. */
export const show = async (flow) => {
  const shown = view(flow);
  for (const part of document.querySelectorAll('[data-view]')) part.hidden = part.dataset.view !== shown;
  for (const part of document.querySelectorAll('[data-when]')) part.hidden = part.dataset.when !== flow?.step;
  if (shown === 'account') return showAccount();
  if (flow.step === 'blocked') say(flow.state.reason?.detail);
  const asked = flow.asked ?? flow.challenge;
  $('sent').textContent = { totp: 'Your authenticator app shows it.', recovery_codes: 'One of your recovery codes.' }[asked?.type]
    ?? `We have sent it to ${asked?.to ?? 'your address'}.`;
  $('again').hidden = !flow.challenge?.channel;
  $('choices').replaceChildren(...flow.options.map((option, index) => button('prove', index, title(option))));
  $('offers').replaceChildren(...flow.options.map((option) => button('enrol', option.type, title(option))));
  $('phone').hidden = !flow.options.some(({ type }) => type === 'phone');
  $('later').hidden = !flow.state.skip;
  const form = document.querySelector(`[data-view=${shown}]`);
  if (flow.enrolment?.totp) showTotp(form.querySelector('[data-shown]'), flow.enrolment.totp);
  else form.querySelector('[data-shown]')?.replaceChildren('We have sent it.');
  for (const field of form.querySelectorAll('[name=code], [type=password]')) field.value = '';
  form.querySelector('input:not([type=checkbox]), button').focus();
};
