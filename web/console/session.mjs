// Who is signed in. The token is this tab's; a tab that is opened beside it asks for it.
import { computed, signal } from '../vendor/signals.mjs';
import { learnTime, learnZone } from './time.mjs';
import { Problem, request } from './request.mjs';
import { hearTabs, recall, remember } from './storage.mjs';

// who is name and role of the token in use; null where nobody is signed in.
export const who = signal(null);

// standing is starting, out, in, or lost: a token that was good is refused, and what was under way waits for another.
export const standing = signal('starting');

export const mayChange = computed(() => who.value?.role === 'operator');

// refusal is why the link's code did not sign in.
export const refusal = signal(null);

let token = recall('sessionStorage', 'token');
let waiting = []; // those who go on once somebody is signed in again

export const currentToken = () => token;

const tellTabs = hearTabs((data) => {
  if (data.ask && standing.value === 'in') tellTabs({ token });
  if (data.token && standing.value === 'starting') offered(data.token);
  if (data.out && data.out === token) forget();
});

let offered = () => {};

// fromOtherTab is the token of a tab that is signed in, or null when none answers at once.
function fromOtherTab() {
  return new Promise((resolve) => {
    offered = resolve;
    tellTabs({ ask: true });
    setTimeout(() => resolve(null), 200);
  });
}

// begin signs in by what the page was opened with: a link's code, this tab's token, or that of another tab.
export async function begin() {
  const code = /^#code=([\w-]+)$/.exec(location.hash)?.[1];
  if (code) history.replaceState(null, '', location.pathname + location.search); // before anybody can see or keep it
  if (await tryToken(token) || (code && await tryCode(code)) || await tryToken(await fromOtherTab())) {
    refusal.value = null;
    return;
  }
  standing.value = 'out';
}

async function tryToken(candidate) {
  if (!candidate) return false;
  try {
    await signIn(candidate);
    return true;
  } catch (problem) {
    if (problem.status !== 401) refusal.value = problem;
    return false;
  }
}

async function tryCode(code) {
  try {
    const response = await request('POST', 'admin/v1/session', { body: JSON.stringify({ code }) });
    take(await response.json());
    return true;
  } catch (problem) {
    refusal.value = problem.status === 401 ? new Problem(401, { code: 'code_used', detail: problem.detail }) : problem;
    return false;
  }
}

// signIn takes a token if the server does, and throws its Problem otherwise.
export async function signIn(candidate) {
  const response = await request('GET', 'admin/v1/session', { token: candidate });
  take({ ...await response.json(), token: candidate });
}

function take(session) {
  token = session.token;
  remember('sessionStorage', 'token', token);
  learnZone(session.timezone);
  learnTime(session.server_time);
  who.value = session;
  standing.value = 'in';
  refusal.value = null;
  const goOn = waiting;
  waiting = [];
  goOn.forEach((resolve) => resolve());
}

// again waits until somebody is signed in with another token than the one that was refused.
export function again(refused) {
  if (token !== refused) return Promise.resolve();
  standing.value = 'lost';
  return new Promise((resolve) => waiting.push(resolve));
}

// signOut forgets the token, in all tabs that have it: another would give it back to this one. A session ends.
export async function signOut() {
  await request('DELETE', 'admin/v1/session', { token }).catch(() => {}); // it ends by itself
  tellTabs({ out: token });
  forget();
}

function forget() {
  remember('sessionStorage', 'token', null);
  token = null;
  who.value = null;
  standing.value = 'out';
}
