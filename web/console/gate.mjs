// The gate: how many are let through to the engine, who is not, and whether anything may change at all.
import { useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { read, send } from './api.mjs';
import { Deed, ReadOnly } from './deed.mjs';
import { Denylist } from './denylist.mjs';
import { Answers, Dialog } from './dialog.mjs';
import { Field } from './field.mjs';
import { t } from './language.mjs';
import { grouped } from './money.mjs';
import { Freshness, tell, Trouble } from './notice.mjs';
import { usePoll } from './poll.mjs';
import { mayChange } from './session.mjs';

const buckets = ['global', 'player', 'address'];

export function Gate() {
  const live = usePoll(async (signal) => {
    const [settings, stats] = await Promise.all([read('gate', { signal }), read('stats', { signal })]);
    return { settings, stats };
  }, 2000, []);
  if (!live.data) return html`<header class="page"><h1>${t('gate.title')}</h1></header><${Freshness} of=${live} />`;
  const { settings, stats } = live.data;
  return html`
    <header class="page"><h1>${t('gate.title')}</h1><span class="muted">${t('gate.revision', { n: settings.revision })}</span></header>
    <${ReadOnly} />
    <${Freshness} of=${live} />
    <${Switch} settings=${settings} reload=${live.reload} />
    <${Rates} settings=${settings} reload=${live.reload} />
    <${Refused} of=${stats.refused} />
    <${Denylist} settings=${settings} reload=${live.reload} />`;
}

// Switch is read-only: nobody wins, nothing is opened, until it is turned back.
function Switch({ settings, reload }) {
  const [asking, setAsking] = useState(false);
  const [state, setState] = useState({ busy: false, problem: null });
  const on = settings.read_only;
  const turn = async () => {
    setState({ busy: true, problem: null });
    try {
      await send('PATCH', 'gate', { read_only: !on }, { ifMatch: settings.etag });
      setState({ busy: false, problem: null });
      setAsking(false);
      tell(t(on ? 'gate.read_only_off' : 'gate.read_only_on'));
    } catch (problem) {
      setState({ busy: false, problem });
    }
    reload();
  };
  return html`
    <section class="panel switch ${on ? 'on' : ''}">
      <div><h2>${t('gate.read_only')} <span class="phase ${on ? 'cancelled' : 'open'}">${t(on ? 'gate.on' : 'gate.off')}</span></h2><p class="muted small">${t('gate.read_only_about')}</p></div>
      <${Deed} kind=${on ? 'primary' : 'danger'} onClick=${() => setAsking(true)}>${t(on ? 'gate.turn_off' : 'gate.turn_on')}</${Deed}>
      ${asking && html`
        <${Dialog} title=${t(on ? 'gate.confirm_off' : 'gate.confirm_on')} onClose=${() => setAsking(false)}>
          <p>${t(on ? 'gate.confirm_off_about' : 'gate.confirm_on_about')}</p>
          <${Trouble} problem=${state.problem} />
          <${Answers} onClose=${() => setAsking(false)}>
            <${Deed} kind=${on ? 'primary' : 'danger solid'} disabled=${state.busy} onClick=${turn}>${t(on ? 'gate.turn_off' : 'gate.turn_on')}</${Deed}>
          </${Answers}>
        </${Dialog}>`}
    </section>`;
}

const typed = (settings) => Object.fromEntries(buckets.flatMap((b) => [[b + '.rate', String(settings[b].rate)], [b + '.burst', String(settings[b].burst)]]));

// patchOf is what the form changes: a bucket whole, because a burst alone would be no limit.
function patchOf(values, base) {
  const patch = {};
  const wrong = {};
  const before = typed(base);
  for (const b of buckets) {
    if (values[b + '.rate'] === before[b + '.rate'] && values[b + '.burst'] === before[b + '.burst']) continue;
    const rate = values[b + '.rate'].trim();
    const burst = values[b + '.burst'].trim() || '0';
    if (!/^\d{1,9}(\.\d{1,6})?$/.test(rate)) wrong[b + '.rate'] = 'wrong.rate';
    if (!/^\d{1,9}$/.test(burst)) wrong[b + '.burst'] = 'wrong.count';
    patch[b] = { rate: Number(rate), burst: Number(burst) };
  }
  return { patch, wrong };
}

// Rates are edited from the settings that stood there when one began: a later change by somebody else shows when one saves.
function Rates({ settings, reload }) {
  const [edit, setEdit] = useState(null); // {base, values}
  const [theirs, setTheirs] = useState(null);
  const [state, setState] = useState({ busy: false, problem: null });
  const base = edit?.base ?? settings;
  const values = edit?.values ?? typed(settings);
  const { patch, wrong } = patchOf(values, base);
  const some = Object.keys(patch).length > 0;
  const at = state.problem?.field ? { [state.problem.field]: state.problem } : {};
  const form = {
    values, wrong: { ...at, ...wrong }, disabled: !mayChange.value,
    set: (path, value) => {
      setState({ busy: false, problem: null });
      setEdit({ base, values: { ...values, [path]: value } });
    },
  };
  const save = async (from, change) => {
    setState({ busy: true, problem: null });
    try {
      await send('PATCH', 'gate', change, { ifMatch: from.etag });
      done();
      tell(t('gate.saved'));
    } catch (problem) {
      setState({ busy: false, problem });
      if (problem.code === 'stale_revision') setTheirs(await read('gate').catch(() => null));
    }
    reload();
  };
  const done = () => {
    setEdit(null);
    setTheirs(null);
    setState({ busy: false, problem: null });
  };
  const submit = (event) => {
    event.preventDefault();
    save(base, patch);
  };
  return html`
    <form class="panel" onSubmit=${submit} novalidate>
      <h2>${t('gate.rates')}</h2>
      <p class="muted small">${t('gate.rates_about')}</p>
      ${theirs && html`<${Conflict} base=${base} theirs=${theirs} patch=${patch} onKeep=${() => save(theirs, patch)} onDrop=${done} />`}
      <div class="rates">
        ${buckets.map((b) => html`
          <fieldset key=${b}>
            <legend>${t('gate.' + b)}</legend>
            <${Field} form=${form} path=${b + '.rate'} label=${t('gate.rate')} inputmode="decimal" unit=${t('gate.per_second')} hint=${t('create.zero')} />
            <${Field} form=${form} path=${b + '.burst'} label=${t('gate.burst')} inputmode="numeric" />
            <${Deed} kind="quiet" disabled=${state.busy} onClick=${() => save(base, { [b]: null })}>${t('gate.as_configured')}</${Deed}>
          </fieldset>`)}
      </div>
      ${!theirs && Object.keys(at).length === 0 && html`<${Trouble} problem=${state.problem} />`}
      <div class="answers">
        ${edit && html`<button type="button" onClick=${done}>${t('action.discard')}</button>`}
        <${Deed} kind="primary" type="submit" disabled=${!some || Object.keys(wrong).length > 0 || state.busy}>${t('gate.save')}</${Deed}>
      </div>
    </form>`;
}

const rateText = (rate) => (rate.rate === 0 ? t('gate.unlimited') : t('gate.rate_text', rate));

function Conflict({ base, theirs, patch, onKeep, onDrop }) {
  const rows = buckets.filter((b) => patch[b] || rateText(theirs[b]) !== rateText(base[b]));
  return html`
    <div class="conflict" role="alert">
      <h3>${t('conflict.title')}</h3>
      <div class="scroll"><table class="list">
        <thead><tr><th>${t('conflict.field')}</th><th>${t('conflict.before')}</th><th>${t('conflict.theirs')}</th><th>${t('conflict.mine')}</th></tr></thead>
        <tbody>${rows.map((b) => html`
          <tr key=${b}><th scope="row">${t('gate.' + b)}</th><td>${rateText(base[b])}</td><td>${rateText(theirs[b])}</td><td>${patch[b] ? rateText(patch[b]) : t('conflict.same')}</td></tr>`)}
        </tbody>
      </table></div>
      <div class="answers">
        <button type="button" onClick=${onDrop}>${t('conflict.drop')}</button>
        <${Deed} kind="primary" onClick=${onKeep}>${t('conflict.keep')}</${Deed}>
      </div>
    </div>`;
}

function Refused({ of }) {
  const reasons = Object.entries(of).filter(([, n]) => n > 0);
  return html`
    <section class="panel">
      <h2>${t('gate.refused')}</h2>
      ${reasons.length === 0 && html`<p class="muted">${t('gate.refused_none')}</p>`}
      <dl class="marks">${reasons.map(([why, n]) => html`<div key=${why}><dt>${t('refused.' + why)}</dt><dd>${grouped(n)}</dd></div>`)}</dl>
    </section>`;
}
