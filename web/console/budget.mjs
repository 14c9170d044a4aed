// A budget as a bar: what is opened, held, refunded, and left.
import { html } from '../vendor/html.mjs';
import { t } from './language.mjs';
import { grouped, yuan } from './money.mjs';

// parts are what has become of a campaign's budget, in fen and envelopes.
export function parts(c) {
  const less = (a, b) => ({ count: a.count - b.count, total_fen: a.total_fen - b.total_fen });
  return {
    opened: c.opened,
    held: less(less(c.taken, c.opened), c.refunded),
    refunded: c.refunded,
    left: less({ count: c.budget.count, total_fen: c.budget.total_fen }, c.taken),
  };
}

export function BudgetBar({ of }) {
  const all = parts(of);
  const whole = Math.max(1, of.budget.total_fen);
  const label = Object.entries(all).map(([name, tally]) => `${t('tally.' + name)} ${yuan(tally.total_fen)}`).join(', ');
  return html`
    <span class="budget" role="img" aria-label=${label}>
      ${Object.entries(all).map(([name, tally]) => html`
        <span key=${name} class=${name} style=${{ width: `${(100 * tally.total_fen) / whole}%` }}></span>`)}
    </span>`;
}

// Tallies are the same in figures.
export function Tallies({ of }) {
  const all = { budget: of.budget, taken: of.taken, ...parts(of) };
  return html`
    <dl class="tallies">
      ${['budget', 'left', 'taken', 'held', 'opened', 'refunded'].map((name) => html`
        <div key=${name} class=${name}>
          <dt>${t('tally.' + name)}</dt>
          <dd><b>${yuan(all[name].total_fen)}</b><span>${t(all[name].count === 1 ? 'envelopes.one' : 'envelopes', { n: grouped(all[name].count) })}</span></dd>
        </div>`)}
    </dl>`;
}
