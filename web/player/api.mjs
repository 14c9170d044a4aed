// Requests to the player API. Each either answers, or throws a Problem that says whether something may have happened.
import { signal } from '../vendor/signals.mjs';
import { observe, sleep } from './clock.mjs';
import { credential, identityHeaders, renew } from './identity.mjs';

const base = new URL('../', import.meta.url).href;
const patienceMs = 10000;

export const address = path => base + path;

// connected is false from the first request that finds no server until the first that does.
export const connected = signal(navigator.onLine !== false);

// Problem is what came in place of an answer. maybe: it may have happened all the same, and the same key tells.
export class Problem extends Error {
  constructor(code, { status = 0, maybe = false, waitMs = 0, detail = '' } = {}) {
    super(detail || code);
    Object.assign(this, { code, status, maybe, waitMs });
  }
}

// request asks once; a refused token is renewed first, and the same request then goes on, unless it is no longer wanted. A
// connection that fails may have failed on the way back, so it leaves open what happened.
export async function request(method, path, { key, ticket, patience = patienceMs, wanted = () => true } = {}) {
  for (;;) {
    if (!wanted()) throw new Problem('unwanted');
    const used = credential();
    const headers = identityHeaders();
    if (key) headers['Idempotency-Key'] = key;
    if (ticket) headers['Hongbao-Ticket'] = ticket;
    const { status, answer, waitMs } = await ask(method, path, headers, patience);
    if (status === 401) {
      await renew(used);
      continue;
    }
    if (status >= 200 && status < 300 && answer) return answer;
    throw problemOf(status, answer, waitMs);
  }
}

async function ask(method, path, headers, patience) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), patience);
  const sent = performance.now();
  try {
    const response = await fetch(address(path), { method, headers, signal: abort.signal, cache: 'no-store', credentials: 'same-origin' });
    const received = performance.now();
    const text = await response.text();
    connected.value = true;
    const answer = parse(text);
    learn(answer, sent, received);
    return { status: response.status, answer, waitMs: retryAfter(response) };
  } catch (error) {
    if (abort.signal.aborted) throw new Problem('unknown', { maybe: true });
    connected.value = false;
    throw new Problem('offline', { maybe: true });
  } finally {
    clearTimeout(timer);
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // a proxy's page, or half an answer
  }
}

function learn(answer, sent, received) {
  const told = answer && (answer.server_time || answer.campaigns && answer.campaigns[0] && answer.campaigns[0].server_time);
  if (told) observe(told, sent, received);
}

function retryAfter(response) {
  const seconds = Number(response.headers.get('Retry-After'));
  return seconds > 0 ? Math.min(seconds, 60) * 1000 : 0;
}

// What a proxy says for itself has no code: of 502 and 504 nobody knows what came of the request.
function problemOf(status, answer, waitMs) {
  const code = answer && answer.code || (status === 429 ? 'too_fast' : status === 503 ? 'busy' : status === 404 ? 'not_found' : 'unknown');
  const maybe = code === 'unknown' || code === 'internal';
  return new Problem(code, { status, maybe, waitMs, detail: answer && answer.detail });
}

// backOff is how long to wait before the next of some attempts, spread so that not all come at once.
export function backOff(attempt, atLeastMs = 0) {
  const ms = Math.min(8000, 400 * 2 ** Math.min(attempt, 6));
  return Math.max(atLeastMs, ms) * (1 + Math.random() * 0.25);
}

// reconnected wakes who waits for the network, or after the time at the latest.
export function reconnected(ms) {
  return new Promise(done => {
    const timer = setTimeout(finish, ms);
    window.addEventListener('online', finish);
    function finish() {
      clearTimeout(timer);
      window.removeEventListener('online', finish);
      done();
    }
  });
}

// persist repeats what may safely be repeated (reading; opening; signing up) until it is answered. Who no longer wants
// the answer says so through the signal.
export async function persist(method, path, { signal: stop, tries = Infinity } = {}) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await request(method, path);
    } catch (problem) {
      const worthwhile = problem.maybe || problem.code === 'busy' || problem.code === 'too_fast' || problem.code === 'read_only';
      if (!worthwhile || attempt + 1 >= tries) throw problem;
      const ms = backOff(attempt, problem.waitMs);
      await (problem.code === 'offline' ? reconnected(ms) : sleep(ms, stop));
      if (stop && stop.aborted) throw problem;
    }
  }
}

export function startConnection() {
  window.addEventListener('offline', () => { connected.value = false; });
  window.addEventListener('online', () => { fetch(address('healthz'), { cache: 'no-store' }).then(() => { connected.value = true; }, () => {}); });
}
