// Making a campaign: a form that the server judges while it is filled in.
import { useEffect, useRef, useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { send } from './api.mjs';
import { Deed, ReadOnly } from './deed.mjs';
import { Answers, Dialog } from './dialog.mjs';
import { Distribution } from './distribution.mjs';
import { newDraft, ofKind, readFields, specPaths } from './draft.mjs';
import { Choice, Field, Length, Moment, Tick } from './field.mjs';
import { t } from './language.mjs';
import { grouped, percent, plainYuan, yuan } from './money.mjs';
import { reason, tell, Trouble } from './notice.mjs';
import { go } from './route.mjs';
import { mayChange } from './session.mjs';
import { full, inWords, local, now, secondsOf, span, zoneLabel } from './time.mjs';

export function NewCampaign() {
  const [values, setValues] = useState(() => newDraft('rain', now.peek()));
  const [asking, setAsking] = useState(false);
  const typed = useRef(new Set());
  const { value: spec, wrong } = readFields(values, specPaths);
  const complete = values['budget.total_fen'] && values['budget.count'] && Object.keys(wrong).length === 0;
  const preview = usePreview('campaigns/preview', complete ? spec : null);
  const form = {
    values, wrong: { ...fieldsOf(preview.problem), ...wrong }, disabled: !mayChange.value,
    set: (path, value) => {
      typed.current.add(path);
      setValues((old) => ({ ...old, [path]: value }));
    },
  };
  const choose = (kind) => setValues((old) => ofKind(old, kind, typed.current, now.peek()));
  const submit = (event) => {
    event.preventDefault();
    if (preview.data) setAsking(true);
  };
  return html`
    <form class="create" onSubmit=${submit} novalidate>
      <header class="page"><h1>${t('create.title')}</h1></header>
      <${ReadOnly} />
      <div class="halves">
        <div>
          <${Kinds} form=${form} choose=${choose} />
          <${Essentials} form=${form} rules=${preview.data?.rules} />
          <${Details} form=${form} rules=${preview.data?.rules} />
        </div>
        <aside class="panel preview" aria-live="polite" aria-busy=${preview.busy}>
          <h2>${t('preview.title')}</h2>
          <${Preview} of=${preview} empty=${!complete} />
          <${Deed} kind="primary wide" type="submit" disabled=${!preview.data || preview.busy}>${t('create.go_on')}</${Deed}>
        </aside>
      </div>
      ${asking && html`<${Confirm} spec=${spec} rules=${preview.data.rules} onClose=${() => setAsking(false)} />`}
    </form>`;
}

const quiet = 250; // milliseconds without typing after which the server is asked

// usePreview asks the server for what would come of a body; null is nothing to ask about.
export function usePreview(path, body, ifMatch) {
  const [state, setState] = useState({ data: null, problem: null, busy: false });
  const text = body && JSON.stringify(body);
  useEffect(() => {
    if (!text) {
      setState({ data: null, problem: null, busy: false });
      return undefined;
    }
    const stop = new AbortController();
    setState((last) => ({ ...last, busy: true }));
    const timer = setTimeout(() => ask(path, JSON.parse(text), ifMatch, stop.signal, setState), quiet);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [path, text, ifMatch]);
  return state;
}

async function ask(path, body, ifMatch, signal, setState) {
  try {
    const data = await send('POST', path, body, { ifMatch, signal });
    if (!signal.aborted) setState({ data, problem: null, busy: false });
  } catch (problem) {
    if (!signal.aborted) setState({ data: null, problem, busy: false });
  }
}

// shownAt is the field of the form that a field of the server's is shown at.
const shownAt = { closes_at: 'lasts' };

// fieldsOf is a problem at its field, where it has one.
export function fieldsOf(problem) {
  if (problem?.code === 'name_taken') return { name: problem };
  return problem?.field ? { [shownAt[problem.field] ?? problem.field]: problem } : {};
}

function Kinds({ form, choose }) {
  return html`
    <fieldset class="kinds">
      <legend>${t('rule.kind')}</legend>
      ${['rain', 'bomb'].map((kind) => html`
        <label key=${kind} class=${form.values.kind === kind ? 'chosen' : ''}>
          <input type="radio" name="kind" value=${kind} checked=${form.values.kind === kind} disabled=${form.disabled} onChange=${() => choose(kind)} />
          <b>${t('kind.' + kind)}</b>
          <span>${t('kind.about.' + kind)}</span>
        </label>`)}
    </fieldset>`;
}

function Essentials({ form, rules }) {
  return html`
    <section class="panel fields">
      <${Field} form=${form} path="budget.total_fen" label=${t('create.total')} placeholder="1,000.00" inputmode="decimal" before="¥" autofocus />
      <${Field} form=${form} path="budget.count" label=${t('create.count')} placeholder="1,000" inputmode="numeric"
        hint=${rules && t('create.mean', { mean: yuan(Math.round(rules.budget.total_fen / rules.budget.count)) })} />
      <div>
        <${Moment} form=${form} path="opens_at" hint=${html`${t('create.zone')} <b>${zoneLabel()}</b>`} />
        <${Shortcuts} form=${form} />
      </div>
      <${Length} form=${form} path="lasts" hint=${rules && t('create.closes', { time: full(rules.closes_at) })} />
      <${Field} form=${form} path="name" hint=${t('create.name_hint')} maxlength="64" />
    </section>`;
}

const ahead = [60, 600, 3600];

function Shortcuts({ form }) {
  const set = (seconds) => form.set('opens_at', local(Math.ceil((now.peek() + seconds * 1000) / 1000) * 1000));
  return html`
    <p class="shortcuts">
      ${ahead.map((seconds) => html`
        <button key=${seconds} type="button" class="quiet" disabled=${form.disabled} onClick=${() => set(seconds)}>${t('time.in', { span: span(seconds) })}</button>`)}
    </p>`;
}

// Details are what most campaigns leave as it is; what is empty takes what the server shows in its place.
function Details({ form, rules }) {
  const otherwise = (show) => (rules ? show(rules) : '');
  const { 'budget.split': split, pace } = form.values;
  return html`
    <details class="panel">
      <summary>${t('create.texts')}</summary>
      <div class="fields">
        <${Field} form=${form} path="title.zh" maxlength="100" />
        <${Field} form=${form} path="title.en" maxlength="100" />
        ${['rules_text.zh', 'rules_text.en'].map((path) => html`
          <${Field} key=${path} form=${form} path=${path}>${(control) => html`<textarea rows="3" maxlength="2000" ...${control}></textarea>`}</${Field}>`)}
      </div>
    </details>
    <details class="panel">
      <summary>${t('create.rules')}</summary>
      <div class="fields">
        <${Field} form=${form} path="budget.min_fen" before="¥" inputmode="decimal" placeholder=${otherwise((r) => plainYuan(r.budget.min_fen))} />
        <${Field} form=${form} path="budget.max_fen" before="¥" inputmode="decimal" placeholder=${otherwise((r) => plainYuan(r.budget.max_fen))} />
        <${Choice} form=${form} path="budget.split" prefix="split" of=${['double_mean', 'normal', 'uniform', 'equal']}
          hint=${t('split.about.' + split)} />
        <${Field} form=${form} path="chance" unit="%" inputmode="decimal" placeholder=${otherwise((r) => percent(r.chance))} hint=${t('create.chance_hint')} />
        <${Choice} form=${form} path="pace" of=${['none', 'linear']} hint=${t('pace.about.' + pace)} />
        <${Field} form=${form} path="wins_max" inputmode="numeric" placeholder=${otherwise((r) => String(r.wins_max))} hint=${t('create.zero')} />
        <${Field} form=${form} path="daily_wins_max" inputmode="numeric" placeholder=${otherwise((r) => String(r.daily_wins_max))} hint=${t('create.zero')} />
        <${Choice} form=${form} path="signup" of=${['none', 'open', 'invited']} />
        <${Choice} form=${form} path="reveal" of=${['on_open', 'on_snatch']} />
        <${Length} form=${form} path="open_for" placeholder=${otherwise((r) => String(secondsOf(r.open_for) / 3600))} hint=${t('create.open_for_hint')} />
        <${Length} form=${form} path="fair_start" placeholder="0" hint=${t('create.fair_start_hint')} />
        <${Tick} form=${form} path="ticket" hint=${t('create.ticket_hint')} />
        <${Tick} form=${form} path="paused" hint=${t('create.paused_hint')} />
      </div>
    </details>`;
}

// Sentence says a budget in one line: what a person has to check.
export const sentence = (rules) => t('preview.sentence', {
  total: yuan(rules.budget.total_fen), count: grouped(rules.budget.count), min: yuan(rules.budget.min_fen), max: yuan(rules.budget.max_fen),
});

function Preview({ of, empty }) {
  if (empty) return html`<p class="muted">${t('preview.empty')}</p>`;
  if (of.problem) {
    const at = fieldsOf(of.problem);
    return Object.keys(at).length === 0 ? html`<${Trouble} problem=${of.problem} />` : html`<p class="muted">${reason(of.problem)} ${t('preview.see_field')}</p>`;
  }
  if (!of.data) return html`<p class="muted">${t('loading')}</p>`;
  const { rules, distribution } = of.data;
  return html`
    <p class="sentence">${sentence(rules)}</p>
    <${Distribution} of=${distribution} />
    <dl class="marks times">
      <div><dt>${t('rule.opens_at')}</dt><dd>${full(rules.opens_at)} <small>${inWords(rules.opens_at)}</small></dd></div>
      <div><dt>${t('rule.closes_at')}</dt><dd>${full(rules.closes_at)}</dd></div>
    </dl>`;
}

// Confirm repeats what is to be given away before it is.
function Confirm({ spec, rules, onClose }) {
  const [sure, setSure] = useState(false);
  const [state, setState] = useState({ busy: false, problem: null });
  const create = async () => {
    setState({ busy: true, problem: null });
    try {
      const made = await send('POST', 'campaigns', spec);
      tell(t('create.done', { name: made.name }));
      go('campaigns/' + made.id);
    } catch (problem) {
      setState({ busy: false, problem });
    }
  };
  const total = yuan(rules.budget.total_fen);
  return html`
    <${Dialog} title=${t('create.confirm', { name: rules.name })} onClose=${onClose}>
      <p class="sentence big">${sentence(rules)}</p>
      <p>${t('create.confirm_times', { kind: t('kind.' + rules.kind), opens: full(rules.opens_at), closes: full(rules.closes_at), zone: zoneLabel() })}</p>
      <label class="sure"><input type="checkbox" name="sure" checked=${sure} onChange=${(event) => setSure(event.currentTarget.checked)} /> ${t('create.sure', { total })}</label>
      <${Trouble} problem=${state.problem} />
      <${Answers} onClose=${onClose}>
        <${Deed} kind="primary" disabled=${!sure || state.busy} onClick=${create}>${t('create.create', { total })}</${Deed}>
      </${Answers}>
    </${Dialog}>`;
}
