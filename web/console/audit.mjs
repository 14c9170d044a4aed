// The audit: the guarantees, checked against the whole journal.
import { useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { send } from './api.mjs';
import { Copy } from './copy.mjs';
import { Deed, ReadOnly } from './deed.mjs';
import { Field } from './field.mjs';
import { has, t } from './language.mjs';
import { grouped, yuan } from './money.mjs';
import { Trouble } from './notice.mjs';

export function Audit() {
  const [head, setHead] = useState('');
  const [state, setState] = useState({ busy: false, report: null, problem: null });
  const run = async (event) => {
    event.preventDefault();
    setState({ busy: true, report: null, problem: null });
    try {
      setState({ busy: false, report: await send('POST', 'audit', head.trim() ? { head: head.trim() } : undefined), problem: null });
    } catch (problem) {
      setState({ busy: false, report: null, problem });
    }
  };
  const wrong = state.problem?.field === 'head' ? { head: state.problem } : {};
  const form = { values: { head }, wrong, set: (_, value) => setHead(value) };
  return html`
    <header class="page"><h1>${t('audit.title')}</h1></header>
    <${ReadOnly} />
    <form class="panel audit" onSubmit=${run}>
      <p>${t('audit.about')}</p>
      <${Field} form=${form} path="head" label=${t('audit.head')} hint=${t('audit.head_hint')} />
      <${Deed} kind="primary" type="submit" disabled=${state.busy}>${t(state.busy ? 'audit.running' : 'audit.run')}</${Deed}>
    </form>
    <div aria-live="polite">
      ${!wrong.head && html`<${Trouble} problem=${state.problem} />`}
      ${state.report && html`<${Outcome} of=${state.report} />`}
    </div>`;
}

function Outcome({ of }) {
  return html`
    <section class="panel outcome ${of.ok ? 'fine' : 'broken'}">
      <h2><span aria-hidden="true">${of.ok ? '✓' : '✗'}</span> ${t(of.ok ? 'audit.fine' : 'audit.broken')}</h2>
      <p class="muted">${t('audit.over', { events: grouped(of.events), players: grouped(of.players) })}</p>
      <dl class="rules one"><div><dt>${t('audit.head_now')}</dt><dd><${Copy} text=${of.head} /></dd></div></dl>
      <ul class="checks">${of.checks.map((check) => html`<${Check} key=${check.name} of=${check} />`)}</ul>
      ${of.campaigns?.length > 0 && html`<${Books} of=${of.campaigns} />`}
    </section>`;
}

function Check({ of }) {
  const key = 'check.' + of.name;
  return html`
    <li class=${of.ok ? 'fine' : 'broken'}>
      <b><span aria-hidden="true">${of.ok ? '✓' : '✗'}</span> ${of.name}</b>
      <span>${has(key) ? t(key) : ''} <span class="hidden-text">${t(of.ok ? 'audit.ok' : 'audit.not_ok')}</span>
        ${of.detail && html`<small class="detail" lang="en">${of.detail}</small>`}
        ${!of.ok && of.differences?.length > 1 && html`
          <details><summary>${t('audit.more', { n: grouped(of.failures) })}</summary><ul lang="en">${of.differences.map((d) => html`<li key=${d}><small>${d}</small></li>`)}</ul></details>`}
      </span>
    </li>`;
}

function Books({ of }) {
  return html`
    <h3>${t('audit.books')}</h3>
    <div class="scroll"><table class="list">
      <thead><tr><th>${t('campaigns.campaign')}</th>${['budget', 'not_taken', 'held', 'opened', 'refunded'].map((name) => html`<th key=${name} class="figure">${t('tally.' + name)}</th>`)}</tr></thead>
      <tbody>${of.slice(-200).reverse().map((c) => html`
        <tr key=${c.campaign_id}>
          <td><a href=${'#/campaigns/' + c.campaign_id}>${c.name}</a></td>
          ${['budget', 'not_taken', 'held', 'opened', 'refunded'].map((name) => html`<td key=${name} class="figure">${yuan(c[name].total_fen)}</td>`)}
        </tr>`)}
      </tbody>
    </table></div>`;
}
