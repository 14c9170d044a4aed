// Where a campaign stands, in a word and a colour, and what comes next.
import { html } from '../vendor/html.mjs';
import { t } from './language.mjs';
import { inWords, when } from './time.mjs';

export function Phase({ of }) {
  const soldOut = of.phase === 'open' && of.taken.count >= of.budget.count;
  const over = of.phase === 'closed' || of.phase === 'settled';
  return html`
    <span class="phases">
      <span class="phase ${of.phase}">${t('phase.' + of.phase)}</span>
      ${of.cancelled && html`<span class="phase cancelled">${t('phase.cancelled')}</span>`}
      ${of.paused && !over && html`<span class="phase paused">${t('phase.paused')}</span>`}
      ${soldOut && html`<span class="phase sold">${t('phase.sold_out')}</span>`}
    </span>`;
}

// Next is when a campaign's phase changes, or when it ended.
export function Next({ of }) {
  const [key, time] = next(of);
  return html`<span class="next"><time datetime=${time}>${t(key, { when: inWords(time) })}</time> <small>${when(time)}</small></span>`;
}

function next(c) {
  if (c.phase === 'scheduled' || c.phase === 'countdown') return ['next.opens', c.opens_at];
  if (c.phase === 'open') return ['next.closes', c.closes_at];
  return [c.cancelled ? 'next.cancelled' : 'next.closed', c.sealed_at ?? c.closes_at];
}
