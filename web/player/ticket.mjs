// Tickets: where a campaign asks for one, it is fetched while the countdown runs, with its work done between two frames,
// and renewed before it ends.
import { backOff, request } from './api.mjs';
import { campaigns, opensAt, phaseOf } from './campaign.mjs';
import { serverNow, sleep } from './clock.mjs';
import { owner } from './identity.mjs';
import { startWork } from './work.mjs';

const sliceMs = 4;
const triesAtOnce = 256;
const spreadMs = 20000; // of a countdown, over which the crowd fetches
const renewAt = 0.75;   // of a ticket's life

const tickets = new Map();  // by player and campaign: {text, fetched, ends}
const fetching = new Map(); // promises
const renewing = new Set(); // of those that are still good

const name = id => owner.value + '/' + id;

function good(ticket, share = 1) {
  return ticket && serverNow() < ticket.fetched + (ticket.ends - ticket.fetched) * share;
}

// ticketFor returns one that is good, if the campaign asks for one; fresh: another than the one that was refused. It
// throws the Problem of fetching it.
export async function ticketFor(campaign, fresh = false) {
  if (!campaign.ticket && !fresh) return undefined;
  const at = name(campaign.id);
  if (fresh) tickets.delete(at);
  if (good(tickets.get(at))) return tickets.get(at).text;
  if (!fetching.has(at)) fetching.set(at, fetchTicket(campaign.id, at).finally(() => fetching.delete(at)));
  return fetching.get(at);
}

async function fetchTicket(id, at) {
  const { ticket, expires_at, pow } = await request('POST', `v1/campaigns/${id}/ticket`);
  if (!ticket) return undefined; // too early or too late, which the snatch is told as well
  const fetched = serverNow();
  const text = pow && pow.bits > 0 ? `${ticket}.${await work(pow.salt, pow.bits)}` : ticket;
  tickets.set(at, { text, fetched, ends: Date.parse(expires_at) - 1000 });
  return text;
}

async function work(salt, bits) {
  const step = startWork(salt, bits);
  for (;;) {
    const end = performance.now() + sliceMs;
    while (performance.now() < end) {
      const nonce = step(triesAtOnce);
      if (nonce !== null) return nonce;
    }
    await sleep(0);
  }
}

// startTickets keeps those at hand that the next tap may need.
export function startTickets() {
  const place = Math.random();
  let failed = 0, notBefore = 0;
  setInterval(async () => {
    const time = serverNow();
    if (document.hidden || time < notBefore) return;
    for (const c of Object.values(campaigns.value)) {
      const phase = phaseOf(c, time);
      const early = phase === 'countdown' && time < opensAt(c) - 60000 + place * spreadMs && time < opensAt(c) - 5000;
      if (!c.ticket || early || phase !== 'countdown' && phase !== 'open' || fetching.has(name(c.id)) || renewing.has(name(c.id))) continue;
      if (good(tickets.get(name(c.id)), renewAt)) continue;
      try {
        await renew(c);
        failed = 0;
      } catch (problem) {
        notBefore = serverNow() + backOff(failed++, problem.waitMs);
      }
    }
  }, 500);
}

// renew leaves the old one in use until the new one is there.
function renew(c) {
  const at = name(c.id);
  renewing.add(at);
  const fetched = fetchTicket(c.id, at).finally(() => {
    fetching.delete(at);
    renewing.delete(at);
  });
  if (!good(tickets.get(at))) fetching.set(at, fetched);
  return fetched;
}
