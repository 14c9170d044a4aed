// How the server fares.
import { useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { download, read, ready, send } from './api.mjs';
import { Copy } from './copy.mjs';
import { Deed } from './deed.mjs';
import { Field } from './field.mjs';
import { t } from './language.mjs';
import { grouped, yuan } from './money.mjs';
import { Freshness, tell, Trouble } from './notice.mjs';
import { usePoll } from './poll.mjs';
import { mayChange } from './session.mjs';
import { full, learnTime, span, zoneLabel } from './time.mjs';

export function Server() {
  const live = usePoll(async (signal) => {
    const [stats, health] = await Promise.all([read('stats', { signal }), ready()]);
    learnTime(stats.now);
    return { stats, health };
  }, 1000, []);
  const head = html`<header class="page"><h1>${t('server.title')}</h1><button type="button" onClick=${() => download('../../openapi.json', 'openapi.json')}>${t('server.openapi')}</button></header>`;
  if (!live.data) return html`${head}<${Freshness} of=${live} />`;
  const { stats, health } = live.data;
  return html`
    ${head}
    <${Freshness} of=${live} />
    <${Health} of=${health} stats=${stats} />
    <div class="halves even">
      <${Statuses} of=${stats} />
      <div>
        <${Rates} of=${stats.rates} />
        <${Running} of=${stats.campaigns} />
      </div>
    </div>
    <${Books} of=${stats} />
    <${Backup} />`;
}

function Health({ of, stats }) {
  const state = stats.healthy && of.status === 'ok' ? 'ok' : of.status === 'unavailable' ? 'unavailable' : 'degraded';
  return html`
    <section class="panel health ${state}" role="status">
      <h2><span aria-hidden="true">${state === 'ok' ? '✓' : '!'}</span> ${t('health.' + state)}</h2>
      ${(of.reason || stats.reason) && html`<p class="detail" lang="en">${of.reason || stats.reason}</p>`}
      <p class="muted small">${t('server.about', { version: stats.version, uptime: span(stats.uptime_s), now: full(stats.now), zone: zoneLabel() })}</p>
    </section>`;
}

const order = ['won', 'missed', 'sold_out', 'limit_reached', 'daily_limit_reached', 'not_signed_up', 'paused', 'closed', 'not_open', 'cancelled', 'not_found'];

function Statuses({ of }) {
  const total = Object.values(of.statuses).reduce((sum, n) => sum + n, 0);
  return html`
    <section class="panel">
      <h2>${t('server.statuses')}</h2>
      <ul class="meters">
        ${order.filter((status) => of.statuses[status] > 0).map((status) => html`
          <li key=${status}>
            <span>${t('status.' + status)}</span><b>${grouped(of.statuses[status])}</b>
            <i class=${status === 'won' ? 'won' : ''} style=${{ width: `${(100 * of.statuses[status]) / total}%` }}></i>
          </li>`)}
      </ul>
      ${total === 0 && html`<p class="muted">${t('server.no_snatches')}</p>`}
      <dl class="marks"><div><dt>${t('server.snatches')}</dt><dd>${grouped(total)}</dd></div><div><dt>${t('server.openings')}</dt><dd>${grouped(of.openings)}</dd></div></dl>
    </section>`;
}

const perSecond = (n) => (n >= 100 ? grouped(Math.round(n)) : String(Math.round(n * 10) / 10));

function Rates({ of }) {
  return html`
    <section class="panel">
      <h2>${t('server.rates')}</h2>
      <table class="list">
        <thead><tr><td></td><th class="figure">10 ${t('unit.s')}</th><th class="figure">1 ${t('unit.min')}</th></tr></thead>
        <tbody>${['snatches', 'wins', 'openings'].map((what) => html`
          <tr key=${what}><th scope="row">${t('server.' + what)}</th><td class="figure"><b>${perSecond(of['10s'][what])}</b></td><td class="figure">${perSecond(of['1m'][what])}</td></tr>`)}
        </tbody>
      </table>
    </section>`;
}

function Running({ of }) {
  return html`
    <section class="panel">
      <h2>${t('server.running')}</h2>
      ${of.length === 0 && html`<p class="muted">${t('server.none_running')}</p>`}
      <ul class="plain">${of.map((c) => html`
        <li key=${c.id}><a href=${'#/campaigns/' + c.id}>${c.name}</a> <span class="muted">${t('server.left', { left: yuan(c.left.total_fen), total: yuan(c.budget.total_fen) })}</span></li>`)}</ul>
    </section>`;
}

function Books({ of }) {
  return html`
    <section class="panel">
      <h2>${t('server.books')}</h2>
      <dl class="marks">
        <div><dt>${t('server.events')}</dt><dd>${grouped(of.events)}</dd></div>
        <div><dt>${t('server.lag')}</dt><dd>${grouped(of.lag)}</dd></div>
        <div><dt>${t('server.groups')}</dt><dd>${grouped(of.groups)}</dd></div>
        <div><dt>${t('server.sync')}</dt><dd>${t('server.ms', { n: (of.sync_us / 1000).toFixed(1) })}</dd></div>
      </dl>
      <dl class="rules one"><div><dt>${t('audit.head_now')}</dt><dd><${Copy} text=${of.head} /></dd></div></dl>
    </section>`;
}

function Backup() {
  const [to, setTo] = useState('');
  const [state, setState] = useState({ busy: false, problem: null });
  const run = async (event) => {
    event.preventDefault();
    setState({ busy: true, problem: null });
    try {
      const done = await send('POST', 'backup', { to: to.trim() });
      tell(t('backup.done', done));
      setState({ busy: false, problem: null });
    } catch (problem) {
      setState({ busy: false, problem });
    }
  };
  const form = { values: { to }, wrong: state.problem?.field === 'to' ? { to: state.problem } : {}, disabled: !mayChange.value, set: (_, value) => setTo(value) };
  return html`
    <section class="panel">
      <h2>${t('backup.title')}</h2>
      <form class="inline" onSubmit=${run}>
        <${Field} form=${form} path="to" label=${t('backup.to')} hint=${t('backup.hint')} />
        <${Deed} type="submit" disabled=${!to.trim() || state.busy}>${t(state.busy ? 'backup.running' : 'backup.run')}</${Deed}>
      </form>
      ${!form.wrong.to && html`<${Trouble} problem=${state.problem} />`}
    </section>`;
}
