// The wallet as the server has it: the balance, and envelopes newest first, page by page. Opening is repeated until it is
// answered: it credits once, however often it is asked.
import { batch, computed, effect, signal, untracked } from '../vendor/signals.mjs';
import { persist } from './api.mjs';
import { owner } from './identity.mjs';
import { stand, standing } from './snatch.mjs';
import { recallForAll, rememberForAll } from './storage.mjs';
import { hearTabs, tellTabs } from './tab.mjs';

const pageSize = 50;
const receiptsMax = 200;

// wallet is {balance_fen, envelopes, next, as_of}, or null until it is known.
export const wallet = signal(null);
// troubled is the error that the last reading ended with.
export const troubled = signal('');
// reading is 'all' or 'more' while the server is asked.
export const reading = signal('');

// opened has what opening this page's envelopes came to, by id: {status | error, amount_fen, busy}.
export const opened = signal({});

export const held = computed(() => wallet.value ? wallet.value.envelopes.filter(e => e.status === 'held') : []);
export const past = computed(() => wallet.value ? wallet.value.envelopes.filter(e => e.status !== 'held') : []);

let latest = new AbortController(); // of the latest reading

// anew ends the reading before, whose answer nobody wants any more: each look at the page asks, and those that get no answer
// must not all go on asking.
function anew() {
  latest.abort();
  latest = new AbortController();
  return latest.signal;
}

export async function readWallet() {
  const signal = anew();
  reading.value = 'all';
  try {
    const answer = await persist('GET', `v1/wallet?limit=${pageSize}`, { signal });
    if (signal.aborted) return;
    batch(() => {
      wallet.value = withOlder(answer, wallet.value);
      troubled.value = '';
      countWins(answer);
    });
  } catch (problem) {
    if (!signal.aborted) troubled.value = problem.code;
  } finally {
    if (!signal.aborted) reading.value = '';
  }
}

// withOlder keeps the older pages that were read already below a first page that is read again.
function withOlder(first, before) {
  if (!before || before.envelopes.length <= pageSize || !first.next) return first;
  const known = new Set(first.envelopes.map(e => e.id));
  const last = before.envelopes.findIndex(e => e.id === first.envelopes[first.envelopes.length - 1].id);
  if (last < 0) return first; // more came in between than a page has
  const older = before.envelopes.slice(last + 1).filter(e => !known.has(e.id));
  return { ...first, envelopes: [...first.envelopes, ...older], next: before.next };
}

export async function readMore() {
  const signal = anew(), { next } = wallet.value;
  reading.value = 'more';
  try {
    const answer = await persist('GET', `v1/wallet?limit=${pageSize}&cursor=${encodeURIComponent(next)}`, { signal });
    if (signal.aborted) return;
    const known = new Set(wallet.value.envelopes.map(e => e.id));
    wallet.value = { ...answer, envelopes: [...wallet.value.envelopes, ...answer.envelopes.filter(e => !known.has(e.id))] };
  } catch (problem) {
    if (!signal.aborted) troubled.value = problem.code;
  } finally {
    if (!signal.aborted) reading.value = '';
  }
}

// countWins tells what was won in earlier visits, as far as the first page reaches. It never lowers what an answer said.
function countWins({ envelopes }) {
  const wins = {};
  for (const e of envelopes) wins[e.campaign_id] = (wins[e.campaign_id] || 0) + 1;
  for (const [id, count] of Object.entries(wins)) {
    if (count > ((standing.value[id] || {}).wins || 0)) stand(id, { wins: count });
  }
}

// openEnvelope credits one, and returns what came of it.
export async function openEnvelope(id) {
  const before = opened.value[id];
  if (before && (before.busy || before.status)) return before;
  note(id, { busy: true });
  let result;
  try {
    const answer = await persist('POST', `v1/envelopes/${id}/open`);
    result = { status: answer.status, amount_fen: answer.amount_fen, balance_fen: answer.balance_fen };
  } catch (problem) {
    result = { error: problem.code };
  }
  batch(() => {
    note(id, result);
    if (result.status === 'opened') credit(id, result);
  });
  readWallet();
  tellTabs('wallet');
  return result;
}

function note(id, what) {
  opened.value = { ...opened.value, [id]: what };
}

// credit shows at once what the next reading will tell.
function credit(id, { amount_fen, balance_fen }) {
  if (!wallet.value) return;
  const envelopes = wallet.value.envelopes.map(e => e.id === id ? { ...e, status: 'opened', amount_fen } : e);
  wallet.value = { ...wallet.value, balance_fen, envelopes };
}

const receipts = () => 'receipts.' + owner.value;

// keepReceipt remembers what proves a win; the server tells it once, with the win.
export function keepReceipt({ campaign_id, envelope_id, receipt, key }) {
  if (!receipt) return;
  const kept = recallForAll(receipts()) || [];
  const others = kept.filter(r => r.envelope_id !== envelope_id);
  rememberForAll(receipts(), [...others, { campaign_id, envelope_id, receipt, key }].slice(-receiptsMax));
}

export function receiptOf(id) {
  return (recallForAll(receipts()) || []).find(r => r.envelope_id === id) || null;
}

function startAfresh() {
  batch(() => {
    wallet.value = null;
    opened.value = {};
    standing.value = {};
  });
  readWallet();
}

export function startWallet() {
  hearTabs('wallet', readWallet);
  let who = owner.value;
  effect(() => {
    if (owner.value === who) return;
    who = owner.value;
    untracked(startAfresh);
  });
  const back = () => { if (!document.hidden) readWallet(); };
  document.addEventListener('visibilitychange', back);
  window.addEventListener('focus', back);
  window.addEventListener('online', back);
  readWallet();
}
