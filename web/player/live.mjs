// What the server tells unasked: Server-Sent Events, or where they don't come through, the list asked for now and then.
// Nothing rests on them: phases follow from the clock, outcomes from answers.
import { address } from './api.mjs';
import { amend, campaigns, merge, readCampaign, readCampaigns } from './campaign.mjs';
import { distrust } from './clock.mjs';
import { stand } from './snatch.mjs';

const pollMs = 5000;       // without events
const readAgainMs = 90000; // with them, in case one was lost in an update
const sleptMs = 2000;      // by which a device's clocks part while it sleeps: what is less is one that is set a little
const spreadMs = 800;      // over which those who were told of a change ask for it

let source = null;

const state = ['opens_at', 'closes_at', 'left', 'paused', 'cancelled'];

const changes = {
  progress: data => take(data, ['left']),
  sold_out: data => take(data, ['left']),
  paused: data => take(data, state),
  resumed: data => take(data, state),
  cancelled: data => take(data, state),
  closed: data => take(data, ['closes_at', 'phase']),
  countdown: data => take(data, state),
  open: data => take(data, state),
  created: data => readSoon(data.campaign_id),
  revised: data => {
    take(data, state);
    readSoon(data.campaign_id);
  },
};

// take takes over fields of the list's object. What is false is left out of an event.
function take(data, fields) {
  const id = data.campaign_id, change = { server_time: data.server_time };
  if (!campaigns.value[id]) {
    readSoon(id);
    return;
  }
  for (const field of fields) if (data[field] !== undefined || field === 'paused' || field === 'cancelled') change[field] = data[field];
  amend(id, change);
}

// readSoon asks what changed. Everybody is told at once, and must not ask at once. What a player was refused may be granted
// by other rules.
function readSoon(id) {
  setTimeout(async () => {
    try {
      const c = await readCampaign(id);
      stand(id, { refusal: '', wins_max: c.wins_max });
    } catch { /* the list is read again before long */ }
  }, Math.random() * spreadMs);
}

function open() {
  source = new EventSource(address('v1/events'));
  listen('campaign', c => merge([c]));
  for (const [name, change] of Object.entries(changes)) listen(name, change);
}

// An event may be one of those that were missed, and its time long past: the clock learns nothing from it.
function listen(name, change) {
  source.addEventListener(name, ({ data }) => {
    try { change(JSON.parse(data)); } catch { /* not for this version of the page */ }
  });
}

const streaming = () => source && source.readyState === EventSource.OPEN;

// The clock on the wall goes on while a device sleeps; that of the page may stop.
const apart = () => Date.now() - performance.now();

// startLive listens while the page is seen: a browser has few connections to a server, and a server many tabs.
export function startLive() {
  if (!document.hidden) open();
  let read = performance.now(), known = apart();
  setInterval(() => {
    const time = performance.now(), slept = Math.abs(apart() - known) > sleptMs;
    known = apart();
    if (slept && !document.hidden) { // a lid that closes does not hide the page
      distrust();
      again();
      read = time;
      return;
    }
    if (document.hidden || time - read < (streaming() ? readAgainMs : pollMs)) return;
    read = time + Math.random() * 1000;
    readCampaigns().catch(() => {});
    // A browser gives a source up for good when it is answered anything but a stream.
    if (!source || source.readyState === EventSource.CLOSED) open();
  }, 1000);
  const back = () => {
    if (!document.hidden) readCampaigns().catch(() => {});
  };
  const again = () => {
    if (source) source.close();
    if (!document.hidden) open();
    back();
  };
  document.addEventListener('visibilitychange', again);
  window.addEventListener('pageshow', event => { if (event.persisted) back(); });
  window.addEventListener('online', back);
}
