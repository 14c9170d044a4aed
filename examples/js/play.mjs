// node examples/js/play.mjs [--url URL] [--campaign ID] [--uid UID | --token TOKEN] [--stay]
//
// Plays a whole rain: waits until it opens, taps until there is nothing more to win, opens what it has won, and says what is
// in the wallet. With --stay it goes on listening until the campaign is over. What it plays with is hongbao.mjs.
import { parseArgs } from 'node:util';
import { Client, newKey } from './hongbao.mjs';

const { values: options } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:8080' },
    campaign: { type: 'string', default: '1' },
    uid: { type: 'string', default: '7' }, // with player.auth trusted
    token: { type: 'string' }, // with player.auth jwt
    stay: { type: 'boolean', default: false },
  },
});
const { campaign } = options;
const client = new Client(options.url, () => options.token ? { Authorization: `Bearer ${options.token}` } : { 'X-Player-Id': options.uid });
const listening = new AbortController();
const told = { won: [], opened: [], opened_fen: 0, balance_fen: 0, events: [] };

const news = follow();
await tap();
await open();
if (options.stay) await news.over;
listening.abort();
console.log(JSON.stringify(told));

// follow listens to what everybody is told, and promises that the campaign opens, and that it is over.
function follow() {
  const happens = {};
  const opens = new Promise(resolve => { happens.open = resolve; });
  const over = new Promise((resolve, reject) => Object.assign(happens, { over: resolve, failed: reject }));
  (async () => {
    for await (const { id, event, data } of client.events({ signal: listening.signal })) {
      if (id) told.events.push(id);
      if (data.campaign_id !== campaign && data.id !== campaign) continue;
      console.error(event, data.phase ?? '');
      if (event === 'open' || event === 'campaign' && data.phase === 'open') happens.open();
      if (event === 'closed' || event === 'cancelled') happens.over();
    }
  })().catch(error => { if (!listening.signal.aborted) happens.failed(error); });
  const soon = Promise.race([opens, over]);
  for (const promise of [soon, over]) promise.catch(() => {}); // whoever waits for it hears of it
  return { opens: soon, over };
}

async function tap() {
  for (;;) {
    const { status, envelope_id: envelope, wins, wins_max: most } = await client.snatch(campaign, newKey());
    if (status === 'won') {
      told.won.push(envelope);
      console.error('won', envelope, wins, 'of', most);
    } else if (status === 'not_open') {
      await news.opens;
    } else if (status !== 'missed' && status !== 'paused') {
      console.error(status);
      return;
    }
    await new Promise(resolve => { setTimeout(resolve, 100); }); // a thumb is not faster
  }
}

// open opens whatever of the campaign is in the wallet, also what an earlier run did not come to open.
async function open() {
  for await (const { id, campaign_id: of, status } of client.envelopes()) {
    if (of !== campaign || status !== 'held') continue;
    const opened = await client.open(id);
    if (opened.status !== 'opened') throw new Error(`envelope ${id} is ${opened.status}`);
    told.opened.push(id);
    told.opened_fen += opened.amount_fen;
    console.error(`opened ${id}: ${opened.amount_fen} fen`);
  }
  told.balance_fen = (await client.wallet()).balance_fen;
}
