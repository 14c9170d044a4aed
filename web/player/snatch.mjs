// A snatch, from the tap to an outcome that is certain. One is under way at a time, known by a key that this page made and
// keeps until it knows: whatever is lost on the way, the same key is asked again, and gets the same answer. It is asked as
// the player it was made for, and as nobody else.
import { batch, signal } from '../vendor/signals.mjs';
import { backOff, reconnected, request } from './api.mjs';
import { amend, campaigns, fairStartMs, opensAt } from './campaign.mjs';
import { serverNow, sleep } from './clock.mjs';
import { needed, owner } from './identity.mjs';
import { newKey } from './key.mjs';
import { recall, remember } from './storage.mjs';
import { ticketFor } from './ticket.mjs';

const patienceMs = 10000; // for an answer, beyond what the lot takes
const triesBusy = 4;      // while it is certain that nothing happened
const triesMaybe = 8;     // of a server that fails each time without saying what came of it

// asking is the snatch under way: {campaign, key, maybe, state, until}, or null. State is 'sent', 'lot' (the draw of
// a fair start), 'unknown' (it may have happened: being asked again), 'busy' (nothing happened: waiting to ask again,
// because of an error) or 'offline'.
export const asking = signal(null);

// standing is what the player has in each campaign: {wins, wins_max, refusal}; the refusal is the last status or error that
// was no miss.
export const standing = signal({});

// outcome is the latest: {status | error, campaign, …answer, at}.
export const outcome = signal(null);

export const standingOf = id => standing.value[id] || {};

export function stand(id, change) {
  standing.value = { ...standing.value, [id]: { ...standing.value[id], ...change } };
}

const place = who => 'pending.' + who;

let underWay = null; // what asking shows

// snatch asks for an envelope, unless one is being asked for. It returns the outcome, or null when it asked nothing or its
// player has left.
export async function snatch(id) {
  if (asking.value) return null;
  return settle({ owner: owner.value, campaign: id, key: newKey(), maybe: false });
}

// resume asks again for what a reload left open. It is kept for the tab, and ends with it.
export async function resume() {
  const who = owner.value, left = recall(place(who));
  if (underWay && underWay.owner !== who) leave(who, left);
  if (!left || !left.key || underWay) return null;
  return settle({ owner: who, campaign: left.campaign, key: left.key, maybe: true });
}

// leave ends what another player has under way; it is kept for when that one is back. What waits for the page to learn who
// plays was nobody's yet, and goes on as who that is, unless that one has left something open.
function leave(who, left) {
  const nobodys = needed.value && !underWay.maybe && !underWay.owner.startsWith('token.');
  if (nobodys && !left) {
    remember(place(underWay.owner), null);
    underWay.owner = who;
    keep(underWay);
    return;
  }
  underWay = null;
  asking.value = null;
}

function keep(snatch) {
  remember(place(snatch.owner), { campaign: snatch.campaign, key: snatch.key });
}

async function settle(snatch) {
  underWay = snatch;
  keep(snatch);
  show(snatch, 'sent');
  let found;
  try {
    found = await ask(snatch);
  } catch (problem) {
    found = { error: problem.code, detail: problem.message };
  }
  if (underWay !== snatch) return null; // whatever came of it, its player is told when back
  underWay = null;
  remember(place(snatch.owner), null);
  return conclude(snatch, found);
}

function show(snatch, state, because = '') {
  if (underWay !== snatch) return;
  const c = campaigns.value[snatch.campaign];
  const lotEnds = c ? opensAt(c) + 2 * fairStartMs(c) : 0;
  const lot = state === 'sent' && c && fairStartMs(c) > 0 && serverNow() < lotEnds;
  asking.value = { ...snatch, state: lot ? 'lot' : snatch.maybe && state === 'sent' ? 'unknown' : state, because, until: lotEnds };
}

// ask repeats the request until there is an answer. It gives up with a Problem only while nothing can have happened, or
// when the server says that asking again is no use.
async function ask(snatch) {
  let renewed = 0, busy = 0, failed = 0;
  for (let attempt = 0; ; attempt++) {
    try {
      return await askOnce(snatch, renewed);
    } catch (problem) {
      if (underWay !== snatch) throw problem;
      snatch.maybe = snatch.maybe || problem.maybe;
      if (problem.code === 'ticket_required' || problem.code === 'ticket_invalid') {
        if (renewed++ >= 2) throw problem;
        continue;
      }
      if (problem.code === 'offline') {
        show(snatch, 'offline');
        await reconnected(backOff(attempt));
        show(snatch, 'sent');
        continue;
      }
      if (problem.maybe) {
        if (problem.code === 'internal' && ++failed >= triesMaybe) throw problem;
        show(snatch, 'unknown');
      } else if (['busy', 'read_only', 'too_fast'].includes(problem.code)) {
        // Who tapped too fast is not told off: there is a next tap. Where an outcome hangs on it, it is asked again.
        if (!snatch.maybe && (problem.code === 'too_fast' || ++busy >= triesBusy)) throw problem;
        show(snatch, snatch.maybe ? 'unknown' : 'busy', problem.code);
      } else {
        throw problem;
      }
      await sleep(backOff(attempt, problem.waitMs));
    }
  }
}

async function askOnce(snatch, renewed) {
  const c = campaigns.value[snatch.campaign] || { id: snatch.campaign };
  const lot = Math.max(0, opensAt(c) + 2 * fairStartMs(c) - serverNow()) || 0;
  let ticket;
  try {
    ticket = await ticketFor(c, renewed > 0);
  } catch (problem) {
    throw Object.assign(problem, { maybe: false, code: problem.maybe && problem.code !== 'offline' ? 'busy' : problem.code }); // nothing was asked yet
  }
  return request('POST', `v1/campaigns/${snatch.campaign}/snatch`, {
    key: snatch.key, ticket, patience: patienceMs + lot, wanted: () => underWay === snatch,
  });
}

// Refusals that hold until something changes; the others are of this tap alone.
const lasting = ['limit_reached', 'daily_limit_reached', 'not_signed_up', 'denied', 'not_found'];

function conclude(snatch, found) {
  const id = snatch.campaign, known = found.status || found.error;
  const result = { ...found, campaign: id, key: snatch.key, at: serverNow() };
  batch(() => {
    const change = { refusal: lasting.includes(known) ? known : '' };
    if (found.wins !== undefined) change.wins = found.wins;
    if (found.wins_max !== undefined) change.wins_max = found.wins_max;
    stand(id, change);
    if (known === 'sold_out') amend(id, { left: 0 });
    if (known === 'paused') amend(id, { paused: true });
    if (known === 'cancelled') amend(id, { cancelled: true });
    asking.value = null;
    outcome.value = result;
  });
  return result;
}
