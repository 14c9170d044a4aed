// How amounts lie: as bars, and in a few figures.
import { html } from '../vendor/html.mjs';
import { t } from './language.mjs';
import { grouped, yuan } from './money.mjs';

// Bars are ranges of amounts with how many envelopes each has.
export function Bars({ ranges, label }) {
  const most = Math.max(1, ...ranges.map((r) => r.count));
  const one = (r) => `${r.from_fen === r.to_fen ? yuan(r.from_fen) : `${yuan(r.from_fen)} – ${yuan(r.to_fen)}`}: ${grouped(r.count)}`;
  return html`
    <figure class="bars">
      <div class="bars-plot" role="img" aria-label=${label}>
        ${ranges.map((r) => html`
          <span key=${r.from_fen} title=${one(r)}><i style=${{ height: `${(100 * r.count) / most}%` }} class=${r.count > 0 ? 'some' : ''}></i></span>`)}
      </div>
      <figcaption><span>${yuan(ranges[0].from_fen)}</span><span>${yuan(ranges[ranges.length - 1].to_fen)}</span></figcaption>
    </figure>`;
}

const marks = [['p10_fen', '10%'], ['p50_fen', '50%'], ['p90_fen', '90%'], ['p99_fen', '99%']];

// Distribution is a preview's.
export function Distribution({ of }) {
  if (of.sampled === 0) return html`<p class="muted">${t('distribution.none')}</p>`;
  const mean = Math.round(of.mean_fen);
  return html`
    <div class="distribution" data-sampled=${of.sampled}>
      <${Bars} ranges=${of.buckets} label=${t('distribution.label', { n: grouped(of.sampled), from: yuan(of.min_fen), to: yuan(of.max_fen) })} />
      <dl class="marks">
        <div><dt>${t('distribution.mean')}</dt><dd>${yuan(mean)}</dd></div>
        ${marks.map(([key, share]) => html`<div key=${key}><dt>${t('distribution.share', { share })}</dt><dd>${yuan(of[key])}</dd></div>`)}
      </dl>
      <p class="muted small">${t('distribution.sample', { n: grouped(of.sampled) })}</p>
    </div>`;
}
