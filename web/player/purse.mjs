// The wallet: balance, what is still to be opened, and the history.
import { useEffect } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { Amount } from './amount.mjs';
import { campaigns } from './campaign.mjs';
import { CopyButton } from './copy.mjs';
import { serverNow } from './clock.mjs';
import { moment, say, titleOf, yuan } from './language.mjs';
import { celebrate } from './party.mjs';
import { wordsOf } from './notice.mjs';
import { Sheet } from './sheet.mjs';
import { held, openEnvelope, opened, past, readMore, readWallet, reading, receiptOf, troubled, wallet } from './wallet.mjs';

export function Purse({ close }) {
  useEffect(() => { readWallet(); }, []);
  const w = wallet.value, empty = w && w.envelopes.length === 0;
  return html`<${Sheet} name="wallet" title=${say('wallet.title')} close=${close}>
    <div class="balance"><span>${say('wallet.balance')}</span><${Amount} fen=${w ? w.balance_fen : 0} class="balance-amount"/>
      ${w && w.as_of && html`<small>${say('wallet.as_of', { time: moment(w.as_of, serverNow()) })}</small>`}
    </div>
    ${troubled.value && html`<p class="trouble" role="status">${say('wallet.trouble', { error: wordsOf({ error: troubled.value }) })} <button class="small" onClick=${readWallet}>${say('wallet.again')}</button></p>`}
    ${!w && !troubled.value && html`<p class="card-about">${say('wallet.loading')}</p>`}
    ${empty && html`<p class="card-about">${say('wallet.empty')}</p>`}
    ${held.value.length > 0 && html`<h3>${say('wallet.held')} <i>${held.value.length}</i></h3><ul class="rows">${held.value.map(e => html`<${Held} key=${e.id} envelope=${e}/>`)}</ul>`}
    ${past.value.length > 0 && html`<h3>${say('wallet.history')}</h3><ul class="rows">${past.value.map(e => html`<${Past} key=${e.id} envelope=${e}/>`)}</ul>`}
    ${w && w.next && html`<p class="card-actions"><button class="quiet" aria-disabled=${reading.value !== ''} onClick=${() => { if (!reading.value) readMore(); }}>${say(reading.value === 'more' ? 'wallet.loading' : 'wallet.more')}</button></p>`}
  <//>`;
}

const nameOf = e => campaigns.value[e.campaign_id] ? titleOf(campaigns.value[e.campaign_id]) : say('app.name');

function Held({ envelope: e }) {
  const { busy, status, error } = opened.value[e.id] || {};
  const open = async event => {
    const { clientX: x, clientY: y } = event;
    const result = await openEnvelope(e.id);
    if (result.status === 'opened') celebrate({ x: x ? x / window.innerWidth : .7, y: y ? y / window.innerHeight : .5, much: .5 });
  };
  return html`<li class="row held">
    <span class="row-packet" aria-hidden="true"></span>
    <span class="row-text"><b>${nameOf(e)}</b><small>${error ? wordsOf({ error }) : status === 'expired' ? say('status.expired') : say('wallet.until', { time: moment(e.expires_at, serverNow()) })}</small><${Receipt} id=${e.id}/></span>
    <span class="row-end">${e.amount_fen !== undefined && html`<b class="row-amount">${yuan(e.amount_fen)}</b>`}
      ${status !== 'expired' && html`<button class="gold small" aria-disabled=${Boolean(busy)} onClick=${open}>${say(busy ? 'wallet.opening' : 'wallet.open')}</button>`}</span>
  </li>`;
}

function Past({ envelope: e }) {
  return html`<li class=${'row ' + e.status}>
    <span class="row-packet" aria-hidden="true"></span>
    <span class="row-text"><b>${nameOf(e)}</b><small>${say('status.' + e.status)} · ${moment(e.opened_at || e.refunded_at || e.snatched_at, serverNow())}</small><${Receipt} id=${e.id}/></span>
    <span class="row-end"><b class="row-amount">${e.status === 'opened' ? '+' + yuan(e.amount_fen) : e.amount_fen !== undefined ? yuan(e.amount_fen) : ''}</b></span>
  </li>`;
}

function Receipt({ id }) {
  const receipt = receiptOf(id);
  return receipt && html`<${CopyButton} class="receipt" text=${JSON.stringify(receipt)} label=${say('fair.receipt')}/>`;
}
