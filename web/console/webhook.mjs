// One webhook: how it fares, a test, and sending again.
import { useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { query, read, send } from './api.mjs';
import { Copy } from './copy.mjs';
import { Deed, ReadOnly } from './deed.mjs';
import { Answers, Dialog } from './dialog.mjs';
import { Field } from './field.mjs';
import { t } from './language.mjs';
import { grouped } from './money.mjs';
import { Freshness, tell, Trouble } from './notice.mjs';
import { usePoll } from './poll.mjs';
import { go } from './route.mjs';
import { full, inWords } from './time.mjs';
import { listed, State } from './webhooks.mjs';

export const pathOf = (name) => 'webhooks/' + encodeURIComponent(name);

export function Webhook({ name }) {
  const live = usePoll((signal) => read(pathOf(name), { signal }), 1500, [name]);
  const [asking, setAsking] = useState(null);
  const close = () => setAsking(null);
  if (!live.data) return html`<${Freshness} of=${live} />`;
  const w = live.data;
  const declared = w.source === 'config';
  return html`
    <header class="page">
      <div>
        <p class="crumbs"><a href="#/webhooks">${t('webhooks.title')}</a></p>
        <h1>${w.name}</h1>
        <p class="sub"><${State} of=${w} /> <code>${w.url}</code></p>
      </div>
      <div class="deeds">
        <${Deed} onClick=${() => setAsking('replay')}>${t('webhook.replay')}</${Deed}>
        ${!declared && html`
          <${Deed} onClick=${() => go(pathOf(name) + '?do=edit')}>${t('webhook.edit')}</${Deed}>
          <${Deed} kind="danger" onClick=${() => setAsking('delete')}>${t('webhook.delete')}</${Deed}>`}
      </div>
    </header>
    <${ReadOnly} />
    ${declared && html`<p class="readonly" role="note">${t('webhook.declared')}</p>`}
    <${Freshness} of=${live} />
    <${Standing} of=${w} />
    <${Test} name=${name} reload=${live.reload} />
    ${w.behind.length > 0 && html`<${Behind} of=${w.behind} />`}
    ${asking === 'replay' && html`<${Replay} of=${w} onClose=${close} reload=${live.reload} />`}
    ${asking === 'delete' && html`<${Delete} of=${w} onClose=${close} />`}`;
}

function Standing({ of }) {
  return html`
    <section class="panel">
      <p class="about">${t('webhook.about.' + of.state)}</p>
      ${(of.gone ?? of.last_failure) && html`<${Failure} of=${of.gone ?? of.last_failure} />`}
      <dl class="rules one">
        <div><dt>${t('webhooks.events')}</dt><dd>${listed(of.events, (name) => t('webhook.event.' + name))}</dd></div>
        <div><dt>${t('webhook.campaigns')}</dt><dd>${listed(of.campaigns, (name) => name)}</dd></div>
        <div><dt>${t('webhook.secrets')}</dt><dd>${of.secrets}</dd></div>
        <div><dt>${t('webhooks.accepted')}</dt><dd>${of.last_accepted ? full(of.last_accepted) : '–'}</dd></div>
        ${of.waiting_from && html`<div><dt>${t('webhook.waiting')}</dt><dd>${full(of.waiting_from)}</dd></div>`}
        <div><dt>${t('webhook.position')}</dt><dd>${of.position ? html`<${Copy} text=${of.position} />` : '–'}</dd></div>
      </dl>
    </section>`;
}

function Failure({ of }) {
  return html`
    <div class="trouble">
      <p>${t('webhook.failed', { time: full(of.at), campaign: of.campaign_id ?? '–' })}</p>
      <p class="detail" lang="en">${of.reason}</p>
    </div>`;
}

function Behind({ of }) {
  return html`
    <section class="panel">
      <h2>${t('webhook.behind')}</h2>
      <div class="scroll" tabindex="0" role="region" aria-label=${t('webhook.behind')}><table class="list">
        <thead><tr><th>${t('envelope.campaign')}</th><th>${t('webhooks.state')}</th><th>${t('webhook.since')}</th><th>${t('webhook.next')}</th><th>${t('webhook.reason')}</th><th>${t('webhook.position')}</th></tr></thead>
        <tbody>${of.map((c) => html`
          <tr key=${c.campaign_id}>
            <td><a href=${'#/campaigns/' + c.campaign_id}>${c.campaign_id}</a></td>
            <td>${c.parked ? html`<span class="phase cancelled">${t('webhook.state.parked')}</span>` : c.failures ? html`<span class="phase countdown">${t('webhook.tries', { n: grouped(c.failures) })}</span>` : html`<span class="phase">${t('webhook.sending')}</span>`}</td>
            <td>${full(c.failing_since ?? c.waiting_from)}</td>
            <td>${c.next_try ? inWords(c.next_try) : '–'}</td>
            <td><span class="detail" lang="en">${c.reason}</span></td>
            <td>${c.position && html`<${Copy} text=${c.position} />`}</td>
          </tr>`)}
        </tbody>
      </table></div>
    </section>`;
}

function Test({ name, reload }) {
  const [state, setState] = useState({ busy: false, result: null, problem: null });
  const test = async () => {
    setState({ busy: true, result: null, problem: null });
    try {
      setState({ busy: false, result: await send('POST', pathOf(name) + '/test'), problem: null });
    } catch (problem) {
      setState({ busy: false, result: null, problem });
    }
    reload();
  };
  return html`
    <section class="panel tested">
      <div class="row"><div><h2>${t('webhook.test')}</h2><p class="muted small">${t('webhook.test_about')}</p></div>
        <${Deed} kind="primary" disabled=${state.busy} onClick=${test}>${t(state.busy ? 'webhook.testing' : 'webhook.test_do')}</${Deed}></div>
      <div aria-live="polite">
        <${Trouble} problem=${state.problem} />
        ${state.result && html`<${Result} of=${state.result} />`}
      </div>
    </section>`;
}

function Result({ of }) {
  return html`
    <div class="result ${of.accepted ? 'fine' : 'broken'}">
      <p><b>${of.accepted ? '✓' : '✗'} ${t(of.accepted ? 'webhook.test_ok' : 'webhook.test_failed')}</b> <span class="muted">${t('webhook.test_took', { status: of.status ?? '–', ms: of.latency_ms })}</span></p>
      ${of.error && html`<p class="detail" lang="en">${of.error}</p>`}
      <p class="small"><span class="muted">webhook-id</span> <${Copy} text=${of.id} /></p>
    </div>`;
}

// Replay has it go on from somewhere else.
function Replay({ of, onClose, reload }) {
  const parked = of.behind.length > 0;
  const [from, setFrom] = useState(parked ? 'parked' : 'start');
  const [position, setPosition] = useState('');
  const [state, setState] = useState({ busy: false, problem: null });
  const replay = async (event) => {
    event.preventDefault();
    setState({ busy: true, problem: null });
    try {
      await send('POST', pathOf(of.name) + '/replay' + query({ from: from === 'position' ? position.trim() : from }));
      tell(t('webhook.replayed'));
      reload();
      onClose();
    } catch (problem) {
      setState({ busy: false, problem });
    }
  };
  const wrong = state.problem?.field === 'from' ? { position: state.problem } : {};
  const form = { values: { position }, wrong, set: (_, value) => { setPosition(value); setFrom('position'); } };
  return html`
    <${Dialog} title=${t('webhook.replay_title', { name: of.name })} onClose=${onClose}>
      <form onSubmit=${replay} novalidate>
        <p>${t('webhook.replay_about')}</p>
        <fieldset class="choices">
          <legend class="hidden-text">${t('webhook.replay')}</legend>
          ${(parked ? ['parked', 'start', 'position'] : ['start', 'position']).map((value) => html`
            <label key=${value}><input type="radio" name="from" value=${value} checked=${from === value} onChange=${() => setFrom(value)} /> ${t('webhook.from.' + value)}</label>`)}
        </fieldset>
        ${from === 'position' && html`<${Field} form=${form} path="position" label=${t('webhook.position')} autofocus />`}
        ${!wrong.position && html`<${Trouble} problem=${state.problem} />`}
        <${Answers} onClose=${onClose}>
          <${Deed} kind="primary" type="submit" disabled=${state.busy || (from === 'position' && !position.trim())}>${t('webhook.replay_do')}</${Deed}>
        </${Answers}>
      </form>
    </${Dialog}>`;
}

function Delete({ of, onClose }) {
  const [state, setState] = useState({ busy: false, problem: null });
  const remove = async () => {
    setState({ busy: true, problem: null });
    try {
      await send('DELETE', pathOf(of.name), undefined, { ifMatch: of.etag });
      tell(t('webhook.deleted', { name: of.name }));
      go('webhooks');
    } catch (problem) {
      setState({ busy: false, problem });
    }
  };
  return html`
    <${Dialog} title=${t('webhook.delete_title', { name: of.name })} onClose=${onClose}>
      <p>${t('webhook.delete_about')}</p>
      <${Trouble} problem=${state.problem} />
      <${Answers} onClose=${onClose}><${Deed} kind="danger solid" disabled=${state.busy} onClick=${remove}>${t('webhook.delete')}</${Deed}></${Answers}>
    </${Dialog}>`;
}
