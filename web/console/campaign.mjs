// One campaign, live.
import { useRef, useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { download, read, send } from './api.mjs';
import { BudgetBar, Tallies } from './budget.mjs';
import { Cancel } from './cancel.mjs';
import { titleOf } from './campaigns.mjs';
import { TimeChart } from './chart.mjs';
import { Copy } from './copy.mjs';
import { Deed, ReadOnly } from './deed.mjs';
import { t } from './language.mjs';
import { grouped } from './money.mjs';
import { Freshness, tell, Trouble } from './notice.mjs';
import { Next, Phase } from './phase.mjs';
import { usePoll } from './poll.mjs';
import { Report } from './report.mjs';
import { Revisions } from './revisions.mjs';
import { go } from './route.mjs';
import { Rules } from './rules.mjs';
import { SignUps } from './signups.mjs';
import { learnTime } from './time.mjs';

export function Campaign({ id }) {
  const samples = useRef([[], [], [], []]);
  const before = useRef(null);
  const live = usePoll(async (signal) => {
    const [campaign, stats] = await Promise.all([read('campaigns/' + id, { signal }), read('stats', { signal })]);
    learnTime(stats.now);
    before.current = sample(samples, before.current, campaign, stats);
    return campaign;
  }, 1000, [id]);
  const c = live.data;
  if (!c) return html`<${Freshness} of=${live} />${!live.problem && html`<p class="muted">${t('loading')}</p>`}`;
  return html`
    <${Header} of=${c} reload=${live.reload} />
    <${ReadOnly} />
    <${Freshness} of=${live} />
    <section class="panel money-panel">
      <${BudgetBar} of=${c} />
      <${Tallies} of=${c} />
    </section>
    <section class="panel">
      <h2>${t('campaign.live')}</h2>
      <${TimeChart} data=${samples.current} budgetFen=${c.budget.total_fen} />
      <p class="muted small">${t('chart.about')}</p>
    </section>
    <${Report} id=${id} phase=${c.phase} taken=${c.taken.count} />
    ${c.signup !== 'none' && html`<${SignUps} of=${c} reload=${live.reload} />`}
    <div class="halves even">
      <section class="panel"><h2>${t('campaign.rules')}</h2><${Rules} of=${c} /></section>
      <section class="panel"><h2>${t('campaign.revisions')}</h2><${Revisions} of=${c.revisions} /></section>
    </div>
    <${Proof} of=${c} />`;
}

const samplesMax = 600; // a second each

// sample adds what happened since the last look to the chart's data: new arrays, for the chart to see that they are.
function sample(samples, before, campaign, stats) {
  const now = {
    at: Date.parse(stats.now) / 1000, wins: campaign.taken.count,
    snatches: Object.values(stats.statuses).reduce((sum, n) => sum + n, 0),
  };
  const seconds = before ? now.at - before.at : 0;
  if (before && seconds <= 0) return before;
  const rate = (key) => (before ? Math.max(0, now[key] - before[key]) / seconds : null);
  const row = [now.at, rate('snatches'), rate('wins'), campaign.budget.total_fen - campaign.taken.total_fen];
  samples.current = samples.current.map((column, i) => [...column.slice(-samplesMax + 1), row[i]]);
  return now;
}

function Header({ of, reload }) {
  const [cancelling, setCancelling] = useState(false);
  const over = of.phase === 'closed' || of.phase === 'settled';
  return html`
    <header class="page campaign-head">
      <div>
        <p class="crumbs"><a href="#/campaigns">${t('campaigns.title')}</a></p>
        <h1>${of.name}</h1>
        <p class="sub">
          <${Phase} of=${of} /> <${Next} of=${of} />
          <span class="muted">${[t('kind.' + of.kind), titleOf(of), t('campaign.id', { id: of.id, revision: of.revision })].filter(Boolean).join(' · ')}</span>
        </p>
      </div>
      <div class="deeds">
        <button type="button" onClick=${() => save(of.id, of.name)} disabled=${of.taken.count === 0}>${t('campaign.winners')}</button>
        <a class="button" href=${`#/journal?campaign=${of.id}`}>${t('nav.journal')}</a>
        ${!over && html`
          <${Pausing} of=${of} reload=${reload} />
          <${Deed} onClick=${() => go(`campaigns/${of.id}/revise`)}>${t('campaign.revise')}</${Deed}>
          <${Deed} kind="danger" onClick=${() => setCancelling(true)}>${t('campaign.cancel')}</${Deed}>`}
      </div>
      ${cancelling && html`<${Cancel} of=${of} onClose=${() => setCancelling(false)} onDone=${reload} />`}
    </header>`;
}

async function save(id, name) {
  tell(t('download.begun'));
  try {
    await download(`campaigns/${id}/winners.csv`, `${name}-winners.csv`);
    tell(t('download.done'));
  } catch {
    tell(t('download.failed'));
  }
}

function Pausing({ of, reload }) {
  const [state, setState] = useState({ busy: false, problem: null });
  const turn = async () => {
    setState({ busy: true, problem: null });
    try {
      await send('PATCH', 'campaigns/' + of.id, { paused: !of.paused }, { ifMatch: of.etag });
      tell(t(of.paused ? 'campaign.resumed' : 'campaign.paused'));
      setState({ busy: false, problem: null });
    } catch (problem) {
      setState({ busy: false, problem });
    }
    reload();
  };
  return html`
    <${Deed} disabled=${state.busy} onClick=${turn}>${t(of.paused ? 'campaign.resume' : 'campaign.pause')}</${Deed}>
    <${Trouble} problem=${state.problem} />`;
}

// Proof is what anybody needs to check the amounts and draws once it is over.
function Proof({ of }) {
  return html`
    <section class="panel">
      <h2>${t('proof.title')}</h2>
      <p class="muted small">${t(of.seed ? 'proof.after' : 'proof.before')}</p>
      <dl class="rules one">
        <div><dt>${t('proof.commitment')}</dt><dd><${Copy} text=${of.commitment} /></dd></div>
        ${of.seed && html`<div><dt>${t('proof.seed')}</dt><dd><${Copy} text=${of.seed} /></dd></div>`}
        ${of.signup !== 'none' && html`<div><dt>${t('campaign.signed_up')}</dt><dd>${grouped(of.signed_up)}</dd></div>`}
      </dl>
    </section>`;
}
