// The campaigns as the server tells them, the phase each is in by the clock, and which of them is on the stage.
import { batch, computed, effect, signal } from '../vendor/signals.mjs';
import { persist } from './api.mjs';
import { now } from './clock.mjs';

const countdownMs = 60000;
const lingerMs = 4000; // how long what has ended stays on the stage before the next takes its place

// campaigns by id.
export const campaigns = signal({});
// listed is false until the server has told at all.
export const listed = signal(false);
// chosen is the campaign that a person picked; empty: what plays now or next.
// It may be in the address, as ?campaign=3.
const chosen = signal(new URLSearchParams(location.search).get('campaign') || '');
export const following = computed(() => !chosen.value);
let toPlay = false; // it was picked to be played, not to be looked at when it was over already

export function choose(id) {
  const c = campaigns.value[id];
  toPlay = Boolean(c) && !['closed', 'cancelled'].includes(phaseOf(c, now.peek()));
  chosen.value = id;
}

export const opensAt = c => Date.parse(c.opens_at);
export const closesAt = c => Date.parse(c.closes_at);
export const fairStartMs = c => durationMs(c.fair_start);

// durationMs reads Go's way of writing one, such as 1m30s or 500ms.
export function durationMs(text = '') {
  const units = { h: 3600000, m: 60000, s: 1000, ms: 1 };
  let ms = 0;
  for (const [, n, unit] of text.matchAll(/([\d.]+)(ms|h|m|s)/g)) ms += n * units[unit];
  return ms;
}

// phaseOf follows from the time: no event has to arrive for a campaign to open or close. Only what the server has sealed
// is over earlier than its rules say.
export function phaseOf(c, time) {
  if (c.cancelled) return 'cancelled';
  if (c.seed || c.phase === 'settled' || time >= closesAt(c)) return 'closed';
  if (time >= opensAt(c)) return 'open';
  return time >= opensAt(c) - countdownMs ? 'countdown' : 'scheduled';
}

export function merge(list) {
  const next = { ...campaigns.value };
  for (const c of list) next[c.id] = { ...without(next[c.id]), ...c };
  campaigns.value = next;
  listed.value = true;
}

// without drops what the server tells only while it holds, so that it ends when it is told no more.
function without(c) {
  if (!c) return c;
  const { paused, cancelled, ticket, fair_start, ...rest } = c;
  return rest;
}

// amend changes what an event tells.
export function amend(id, change) {
  const c = campaigns.value[id];
  if (c) campaigns.value = { ...campaigns.value, [id]: { ...c, ...change } };
}

// What events tell of a campaign. Each tells them all, but for progress, which is told after what came before it.
const told = ['server_time', 'opens_at', 'closes_at', 'left', 'paused', 'cancelled'];

// newest is what an answer says of a campaign, but for what an event that came since it was asked for says later than it.
// Where none came the answer holds whatever its time: a server's clock may be set back.
function newest(answer, before) {
  const known = campaigns.value[answer.id], next = { ...answer };
  const later = known && known !== before[answer.id] && Date.parse(known.server_time) > Date.parse(answer.server_time);
  if (later) for (const field of told) next[field] = known[field];
  return next;
}

let reading = null;

// readCampaigns asks for all; those who want it at once share one request.
export function readCampaigns() {
  if (!reading) {
    const before = campaigns.value;
    reading = persist('GET', 'v1/campaigns').then(({ campaigns: list }) => {
      const next = {};
      for (const c of Object.values(campaigns.value)) if (!before[c.id]) next[c.id] = c; // it was heard of meanwhile
      for (const c of list) next[c.id] = newest(c, before);
      batch(() => {
        campaigns.value = next;
        listed.value = true;
      });
    }).finally(() => { reading = null; });
  }
  return reading;
}

export async function readCampaign(id) {
  const before = campaigns.value;
  const { revisions, ...c } = await persist('GET', 'v1/campaigns/' + id);
  merge([newest(c, before)]);
  return { ...c, revisions };
}

export const ordered = computed(() => Object.values(campaigns.value).sort((a, b) => opensAt(a) - opensAt(b) || a.id - b.id));

// rank says how much a campaign belongs on the stage: open first, then what opens next, then what ended last.
function rank(c, time) {
  switch (phaseOf(c, time)) {
    case 'open': return [c.left > 0 && !c.paused ? 0 : 2, -opensAt(c)];
    case 'countdown': return [1, opensAt(c)];
    case 'scheduled': return [3, opensAt(c)];
    case 'closed': return [4, -closesAt(c)];
  }
  return [5, -opensAt(c)];
}

export function playsNowOrNext(list, time) {
  const ranked = list.map(c => [c, rank(c, time)]);
  ranked.sort(([, a], [, b]) => a[0] - b[0] || a[1] - b[1]);
  return ranked.length ? ranked[0][0] : null;
}

// staged is the id of the campaign on the stage.
const staged = signal('');
let overSince = 0; // when what is on it was found to be over; 0: it is not

// startStage keeps the stage right: what was picked, until it is over; else what plays now or next. What has just ended
// stays for a moment, and what is being played stays to its end, so that nobody is torn from it.
export function startStage() {
  effect(() => {
    const time = now.value, picked = campaigns.value[chosen.value], shown = campaigns.value[staged.peek()];
    const over = shown && hasEnded(shown, time);
    overSince = over ? overSince || time : 0;
    const lingers = over ? time - overSince < lingerMs : shown && phaseOf(shown, time) === 'open';
    if (picked && !(toPlay && hasEnded(picked, time))) put(picked);
    else if (!lingers) put(playsNowOrNext(ordered.value, time));
  });
}

const hasEnded = (c, time) => ['closed', 'cancelled'].includes(phaseOf(c, time)) || c.left === 0;

function put(c) {
  const id = c ? c.id : '';
  if (staged.peek() !== id) overSince = 0;
  staged.value = id;
}

export const current = computed(() => campaigns.value[staged.value] || null);
export const phase = computed(() => current.value ? phaseOf(current.value, now.value) : '');

// next is what to look forward to while the stage shows something that is over.
export const next = computed(() => {
  const time = now.value;
  return ordered.value.find(c => c.id !== staged.value && ['open', 'countdown', 'scheduled'].includes(phaseOf(c, time)) && c.left > 0) || null;
});
