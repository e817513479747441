// The client of this app. The page's <meta> elements say where Postern is, and which app this is.
import { createClient } from './postern.js';

const meta = (name) => document.querySelector(`meta[name=${name}]`).content;

export const postern = createClient({
  url: meta('postern-url'),
  clientId: meta('postern-client'),
  scope: 'openid email profile offline_access',
  // Signed in over reloads. Leave it out, and the tokens live in the page's memory only.
  storage: localStorage,
});
