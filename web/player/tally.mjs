// What the player has from one campaign.
import { html } from '../vendor/html.mjs';
import { say, yuan } from './language.mjs';
import { standing } from './snatch.mjs';
import { wallet } from './wallet.mjs';

export function Tally({ campaign: c }) {
  const mine = wallet.value ? wallet.value.envelopes.filter(e => e.campaign_id === c.id) : [];
  const wins = Math.max(mine.length, (standing.value[c.id] || {}).wins || 0);
  if (!wins) return html`<p class="tally">${say('end.none')}</p>`;
  const sum = mine.reduce((fen, e) => fen + (e.status === 'opened' ? e.amount_fen : 0), 0);
  const unopened = mine.filter(e => e.status === 'held').length;
  return html`<div class="tally">
    <p>${say('end.wins', { n: wins })}</p>
    ${sum > 0 && html`<p class="tally-sum"><span>${say('end.sum')}</span> <b>${yuan(sum)}</b></p>`}
    ${unopened > 0 && html`<p class="tally-unopened">${say('end.unopened', { n: unopened })}</p>`}
  </div>`;
}
