// Who plays. A token comes from the address (#token=…) or from its host, the page that shows or opened
// this one; without any, on this very
// machine, the page picks a player for trying things out; anywhere else a gateway in front is expected to know.
import { computed, signal } from '../vendor/signals.mjs';
import { recall, recallForAll, remember, rememberForAll } from './storage.mjs';

const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);
// host is the page that shows this one in a frame, or opened it in a window.
const host = window.parent !== window ? window.parent : window.opener;
const patienceMs = 8000; // with the host, before the page says that it has no token
const uidMax = Number.MAX_SAFE_INTEGER;

const token = signal(recall('token'));
const demo = signal(loopback ? demoPlayer() : null);

// needed: the server wants a token, and there is none that it takes. 'asking': the host was asked; 'missing': nobody to
// ask, or no answer.
export const needed = signal('');

// player is who the page plays as, for the page's own use: {kind: 'token' | 'demo' | 'gateway', uid}.
export const player = computed(() => {
  if (token.value) return { kind: 'token', uid: subject(token.value) };
  if (demo.value !== null) return { kind: 'demo', uid: demo.value };
  return { kind: 'gateway', uid: '' };
});

// owner names whose things are remembered in the browser.
export const owner = computed(() => player.value.kind + '.' + player.value.uid);

export function identityHeaders() {
  if (token.value) return { Authorization: 'Bearer ' + token.value };
  if (demo.value !== null) return { 'X-Player-Id': demo.value };
  return {};
}

// credential is what a 401 was about, for renew.
export const credential = () => token.value || '';

let waiting = []; // requests that go on once there is a token
let useless = ''; // the token that was refused: a host that knows no better must not set them going again

// renew waits for another token than the refused one.
export function renew(refused) {
  if (credential() !== refused) return Promise.resolve();
  useless = refused;
  ask();
  return new Promise(done => { waiting.push(done); });
}

let patience = 0;

function ask() {
  if (needed.value === 'asking') return;
  if (!host) {
    needed.value = 'missing';
    return;
  }
  needed.value = 'asking';
  tellHost('hongbao:token-needed');
  clearTimeout(patience);
  patience = setTimeout(() => { if (needed.value) needed.value = 'missing'; }, patienceMs);
}

function accept(text) {
  if (typeof text !== 'string' || !/^[\x21-\x7e]{1,6000}$/.test(text) || text === useless) return;
  remember('token', text);
  token.value = text;
  needed.value = '';
  clearTimeout(patience);
  const go = waiting;
  waiting = [];
  for (const done of go) done();
}

// askAgain is for the person who is told that a token is missing.
export function askAgain() {
  useless = '';
  needed.value = '';
  ask();
}

function takeFromAddress() {
  const found = /[#&]token=([^&]*)/.exec(location.hash);
  if (!found) return;
  const rest = location.hash.replace(found[0], '').replace(/^[#&]+/, '');
  history.replaceState(history.state, '', location.pathname + location.search + (rest ? '#' + rest : ''));
  let text = found[1];
  try { text = decodeURIComponent(text); } catch { /* as it is, then */ }
  accept(text);
}

let hostOrigin = ''; // where a token came from; until then nothing that is told to the host is worth hiding

function tellHost(type) {
  if (host) host.postMessage({ type }, hostOrigin || '*');
}

// Who may hand over a token: a wrong one would let its sender see the player's luck credited to another account. It must be
// the host's window, and its origin one that the server lets embed this page: the frame-ancestors of the page's own
// Content-Security-Policy. The browser enforces them for frames, but not for windows that were opened, nor where
// something in between drops the header.
let accepted = null;

async function acceptedOrigins() {
  const { headers } = await fetch(location.pathname, { method: 'HEAD' });
  const [, list] = /(?:^|;)\s*frame-ancestors\s+([^;]*)/.exec(headers.get('Content-Security-Policy') || '') || [];
  const words = (list || '').trim().split(/\s+/);
  return [location.origin, ...words.filter(word => /^https?:\/\/[^*]+$/.test(word))];
}

async function hear(event) {
  const message = event.data;
  if (event.source !== host || !message || message.type !== 'hongbao:token') return;
  try {
    accepted = accepted || acceptedOrigins();
    if (!(await accepted).includes(event.origin)) return;
  } catch {
    accepted = null; // offline: the host is asked again
    return;
  }
  hostOrigin = event.origin;
  accept(message.token);
}

function demoPlayer() {
  const kept = recallForAll('demo');
  if (/^\d{1,16}$/.test(kept) && Number(kept) <= uidMax) return kept;
  const uid = String(100000 + Math.floor(Math.random() * 900000));
  rememberForAll('demo', uid);
  return uid;
}

// playAs changes the player that things are tried out with; it reports whether that is one.
export function playAs(uid) {
  if (!/^\d{1,16}$/.test(uid) || Number(uid) > uidMax) return false;
  demo.value = String(Number(uid));
  rememberForAll('demo', demo.value);
  return true;
}

function subject(text) {
  try {
    const payload = text.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
    return String(JSON.parse(atob(payload)).sub || '');
  } catch {
    return ''; // an opaque token: its own affair
  }
}

export function startIdentity() {
  takeFromAddress();
  window.addEventListener('hashchange', takeFromAddress);
  window.addEventListener('storage', event => {
    if (event.key === 'hongbao.demo' && demo.value !== null) demo.value = demoPlayer();
  });
  if (!host) return;
  window.addEventListener('message', hear);
  tellHost('hongbao:ready');
}
