// A campaign's report from the journal: amounts won, and what happened in each minute.
import { html } from '../vendor/html.mjs';
import { read } from './api.mjs';
import { Bars } from './distribution.mjs';
import { t } from './language.mjs';
import { grouped, yuan } from './money.mjs';
import { Trouble } from './notice.mjs';
import { useLoad } from './poll.mjs';
import { full, when } from './time.mjs';

const minutesShown = 240;

// Report reads the whole journal on the server: once when it is shown, when the phase changes, and when asked to.
export function Report({ id, phase, taken }) {
  const some = taken > 0;
  const report = useLoad((signal) => (some ? read(`campaigns/${id}/report`, { signal }) : Promise.resolve(null)), [id, phase, some]);
  const told = report.data;
  return html`
    <section class="panel report">
      <header><h2>${t('report.title')}</h2><button type="button" class="quiet" disabled=${report.loading || !some} onClick=${report.reload}>${t('report.again')}</button></header>
      <${Trouble} problem=${report.problem} />
      ${!told && html`<p class="muted">${t(some ? 'loading' : 'report.nothing')}</p>`}
      ${told && html`
        <dl class="marks">
          <div><dt>${t('report.players')}</dt><dd>${grouped(told.players)}</dd></div>
          <div><dt>${t('report.mean')}</dt><dd>${yuan(Math.round(told.taken.total_fen / told.taken.count))}</dd></div>
          <div><dt>${t('report.first')}</dt><dd>${when(told.first_win_at)}</dd></div>
          <div><dt>${t('report.last')}</dt><dd>${when(told.last_win_at)}</dd></div>
        </dl>
        <div class="halves even">
          <div><h3>${t('report.amounts')}</h3><${Bars} label=${t('report.amounts')} ranges=${told.amounts.map((a) => ({ ...a, count: a.won.count }))} /></div>
          <div><h3>${t('report.minutes')}</h3><${Minutes} of=${told.minutes} /></div>
        </div>`}
    </section>`;
}

function Minutes({ of }) {
  return html`
    <div class="scroll minutes" tabindex="0" role="region" aria-label=${t('report.minutes')}>
      <table class="list small">
        <thead><tr><th>${t('report.minute')}</th><th class="figure">${t('kind_of.won')}</th><th class="figure">${t('kind_of.opened')}</th><th class="figure">${t('kind_of.refunded')}</th></tr></thead>
        <tbody>${of.slice(-minutesShown).map((m) => html`
          <tr key=${m.at}><th scope="row">${full(m.at).slice(5, 16)}</th>${['won', 'opened', 'refunded'].map((kind) => html`<${Tally} key=${kind} of=${m[kind]} />`)}</tr>`)}
        </tbody>
      </table>
    </div>`;
}

function Tally({ of }) {
  return html`<td class="figure">${of.count === 0 ? html`<span class="muted">–</span>` : html`${grouped(of.count)} <small>${yuan(of.total_fen)}</small>`}</td>`;
}
