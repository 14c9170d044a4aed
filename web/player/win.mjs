// A win: the packet that was snatched, to be opened with a tap.
import { useEffect, useRef } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { Amount } from './amount.mjs';
import { campaigns, phase } from './campaign.mjs';
import { putWin, wins } from './cover.mjs';
import { useFocusWithin } from './focus.mjs';
import { say, titleOf, yuan } from './language.mjs';
import { wordsOf } from './notice.mjs';
import { Packet } from './packet.mjs';
import { celebrate, shower } from './party.mjs';
import { openEnvelope, opened, wallet } from './wallet.mjs';

const unmeantMs = 300; // taps right after it appears were meant for what was there before

export function Win() {
  const win = wins.value[0];
  return win ? html`<${Opening} key=${win.envelope_id} win=${win}/>` : null;
}

function Opening({ win }) {
  const id = win.envelope_id, shown = useRef(performance.now()), box = useRef(null);
  const { busy, status, error, amount_fen: credited } = opened.value[id] || {};
  const known = win.amount_fen !== undefined; // revealed on snatch
  const amount = credited !== undefined ? credited : win.amount_fen;
  const open = status === 'opened' || known;
  const c = campaigns.value[win.campaign_id], others = wins.value.length - 1;
  const playing = phase.value === 'open' && c && c.kind === 'rain';
  useFocusWithin(box, putWin);
  useEffect(() => { celebrate({ much: .45 }); }, []);
  useEffect(() => {
    if (!open) return;
    celebrate({ y: .42 });
    shower();
  }, [open]);
  const meant = action => () => { if (performance.now() - shown.current > unmeantMs) action(); };
  const credit = meant(() => openEnvelope(id));
  return html`<div class=${'win' + (open ? ' opened' : '') + (busy ? ' busy' : '')} role="dialog" aria-modal="true" aria-labelledby="win-title" ref=${box}>
    <div class="rays" aria-hidden="true"></div>
    <div class="win-body">
      <p class="win-from">${c ? titleOf(c) : ''}</p>
      <h2 id="win-title" class="win-title">${status === 'expired' ? say('status.expired') : say('status.won')}</h2>
      <div class="win-packet">
        <${Packet} open=${open} word="">${open && html`
          <span class="win-line">${say('win.title')}</span>
          <${Amount} fen=${amount} from=${0} class="win-amount"/>
          <span class="win-credited">${status === 'opened' ? say('win.credited') : ''}</span>`}
        <//>
        ${!open && status !== 'expired' && html`<button class="win-open" data-focus aria-label=${say(busy ? 'win.opening' : 'win.open_label')} onClick=${credit}><span>${say('win.open')}</span></button>`}
      </div>
      <p class="win-note" role="status">${status === 'expired' ? say('about.expired') : error ? wordsOf({ error }) : status === 'opened' && wallet.value ? `${say('wallet.balance')} ${yuan(wallet.value.balance_fen)}` : ''}</p>
      <p class="win-actions">
        ${known && !status && html`<button class="gold" data-focus onClick=${credit}>${say(busy ? 'win.opening' : 'win.take')}</button>`}
        ${status && html`<button class="gold" data-focus onClick=${putWin}>${others > 0 ? say('win.next', { n: others }) : say(playing ? 'win.more' : 'win.done')}</button>`}
        ${!status && html`<button class="quiet" onClick=${meant(putWin)}>${say(playing && !known ? 'win.later' : 'win.not_now')}</button>`}
      </p>
    </div>
  </div>`;
}
