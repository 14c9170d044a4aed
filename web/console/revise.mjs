// Revising a campaign. Two may do it at once: the second is shown what the first has changed, and decides.
import { useEffect, useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { read, send } from './api.mjs';
import { Deed, ReadOnly } from './deed.mjs';
import { Answers, Dialog } from './dialog.mjs';
import { Distribution } from './distribution.mjs';
import { patchPaths, put, readFields } from './draft.mjs';
import { Choice, Field, Moment } from './field.mjs';
import { fieldsOf, sentence, usePreview } from './form.mjs';
import { t } from './language.mjs';
import { grouped, percent, plainYuan, yuan } from './money.mjs';
import { Trouble, tell } from './notice.mjs';
import { useLoad } from './poll.mjs';
import { go } from './route.mjs';
import { Change, differences, shown, valueAt } from './rules.mjs';
import { mayChange } from './session.mjs';
import { local, now, zoneLabel } from './time.mjs';

export function Revise({ id }) {
  const first = useLoad((signal) => read('campaigns/' + id, { signal }), [id]);
  if (first.problem) return html`<${Trouble} problem=${first.problem} />`;
  if (!first.data) return html`<p class="muted">${t('loading')}</p>`;
  return html`<${Form} key=${id} first=${first.data} />`;
}

const typedAs = {
  'budget.total_fen': plainYuan, 'budget.count': String, 'budget.min_fen': plainYuan, 'budget.max_fen': plainYuan,
  opens_at: local, closes_at: local, chance: percent, pace: String, wins_max: String, daily_wins_max: String,
};

const asTyped = (rules) => Object.fromEntries(patchPaths.map((path) => [path, typedAs[path](valueAt(rules, path))]));

// patchOf is what of the form differs from the rules it was made from.
function patchOf(values, base) {
  const before = asTyped(base);
  const { value, wrong } = readFields(values, patchPaths.filter((path) => values[path] !== before[path]));
  for (const path of patchPaths) if (values[path] === '' && before[path] !== '') wrong[path] = 'wrong.empty';
  const patch = {};
  for (const path of patchPaths) {
    const given = valueAt(value, path);
    if (given !== undefined && !same(path, given, valueAt(base, path))) put(patch, path, given);
  }
  return { patch, wrong };
}

const same = (path, a, b) => (path.endsWith('_at') ? Date.parse(a) === Date.parse(b) : a === b);

function Form({ first }) {
  const [base, setBase] = useState(first); // the revision that the change is made from
  const [values, setValues] = useState(() => asTyped(first));
  const [theirs, setTheirs] = useState(null); // a later revision, made by somebody else
  const [asking, setAsking] = useState(false);
  const { patch, wrong } = patchOf(values, base);
  const some = Object.keys(patch).length > 0;
  const fine = Object.keys(wrong).length === 0;
  const preview = usePreview(`campaigns/${base.id}/preview`, some && fine && !theirs ? patch : null, base.etag);
  useEffect(() => {
    if (preview.problem?.code === 'stale_revision') read('campaigns/' + base.id).then(setTheirs, () => {});
  }, [preview.problem]);
  const form = {
    values, wrong: { ...fieldsAt(preview.problem), ...wrong }, disabled: !mayChange.value,
    set: (path, value) => setValues((old) => ({ ...old, [path]: value })),
  };
  const rebase = (latest, mine) => {
    setBase(latest);
    setValues({ ...asTyped(latest), ...mine });
    setTheirs(null);
    setAsking(false);
  };
  const submit = (event) => {
    event.preventDefault();
    if (preview.data) setAsking(true);
  };
  return html`
    <form onSubmit=${submit} novalidate>
      <header class="page"><div>
        <p class="crumbs"><a href=${'#/campaigns/' + base.id}>${base.name}</a></p>
        <h1>${t('revise.title', { name: base.name })}</h1>
      </div></header>
      <${ReadOnly} />
      ${theirs && html`<${Conflict} base=${base} theirs=${theirs} patch=${patch} values=${values} rebase=${rebase} />`}
      <div class="halves">
        <${Fields} form=${form} base=${base} />
        <aside class="panel preview" aria-live="polite" aria-busy=${preview.busy}>
          <h2>${t('revise.changes')}</h2>
          ${theirs ? html`<p class="muted">${t('conflict.first')}</p>` : html`<${Preview} of=${preview} base=${base} some=${some} form=${form} />`}
          <${Deed} kind="primary wide" type="submit" disabled=${!preview.data || preview.busy}>${t('revise.go_on')}</${Deed}>
        </aside>
      </div>
      ${asking && preview.data && html`
        <${Confirm} base=${base} patch=${patch} rules=${preview.data.rules} onClose=${() => setAsking(false)}
          onStale=${() => read('campaigns/' + base.id).then((latest) => { setTheirs(latest); setAsking(false); }, () => {})} />`}
    </form>`;
}

const fieldsAt = (problem) => (problem?.field === 'closes_at' ? { closes_at: problem } : fieldsOf(problem));

function Fields({ form, base }) {
  const opened = Date.parse(base.opens_at) <= now.value;
  return html`
    <section class="panel fields">
      <${Field} form=${form} path="budget.total_fen" before="¥" inputmode="decimal" />
      <${Field} form=${form} path="budget.count" inputmode="numeric" />
      <${Field} form=${form} path="budget.min_fen" before="¥" inputmode="decimal" hint=${t('revise.range_hint')} />
      <${Field} form=${form} path="budget.max_fen" before="¥" inputmode="decimal" />
      <${Moment} form=${form} path="opens_at" disabled=${opened} hint=${opened ? t('revise.opened') : zoneLabel()} />
      <${Moment} form=${form} path="closes_at" hint=${zoneLabel()} />
      <${Field} form=${form} path="chance" unit="%" inputmode="decimal" />
      <${Choice} form=${form} path="pace" of=${['none', 'linear']} />
      <${Field} form=${form} path="wins_max" inputmode="numeric" hint=${t('create.zero')} />
      <${Field} form=${form} path="daily_wins_max" inputmode="numeric" hint=${t('create.zero')} />
    </section>`;
}

function Preview({ of, base, some, form }) {
  const problem = of.problem?.code === 'stale_revision' ? null : of.problem;
  if (!some) return html`<p class="muted">${t('revise.nothing')}</p>`;
  if (problem?.code === 'budget_below_issued') return html`<${Least} problem=${problem} form=${form} />`;
  if (problem) return html`<${Trouble} problem=${problem} />`;
  if (!of.data) return html`<p class="muted">${t('loading')}</p>`;
  const { rules, distribution } = of.data;
  return html`
    <ul class="changes">${differences(base, rules).map((path) => html`<${Change} key=${path} path=${path} from=${base} to=${rules} />`)}</ul>
    <h3>${t('revise.rest')}</h3>
    <${Distribution} of=${distribution} />`;
}

// Least tells the smallest budget that what is issued leaves room for, and fills it in.
function Least({ problem, form }) {
  const use = () => {
    form.set('budget.total_fen', plainYuan(problem.leastTotalFen));
    if (Number(form.values['budget.count'].replaceAll(',', '')) < problem.leastCount) form.set('budget.count', String(problem.leastCount));
  };
  return html`
    <${Trouble} problem=${problem}>
      <p>${t('revise.least', { total: yuan(problem.leastTotalFen), count: grouped(problem.leastCount) })}</p>
      <button type="button" onClick=${use}>${t('revise.use_least')}</button>
    </${Trouble}>`;
}

// Conflict shows field by field what the other has changed and what one was about to, and offers to go on from theirs.
function Conflict({ base, theirs, patch, values, rebase }) {
  const latest = theirs.revisions[theirs.revisions.length - 1];
  const mine = patchPaths.filter((path) => valueAt(patch, path) !== undefined);
  const paths = [...new Set([...differences(base, theirs), ...mine])];
  const keep = () => rebase(theirs, Object.fromEntries(mine.map((path) => [path, values[path]])));
  return html`
    <section class="panel conflict" role="alert">
      <h2>${t('conflict.title')}</h2>
      <p>${t('conflict.about', { actor: latest.actor, from: base.revision, to: theirs.revision })}</p>
      <div class="scroll"><table class="list">
        <thead><tr><th>${t('conflict.field')}</th><th>${t('conflict.before')}</th><th>${t('conflict.theirs')}</th><th>${t('conflict.mine')}</th></tr></thead>
        <tbody>${paths.map((path) => html`<${Side} key=${path} path=${path} base=${base} theirs=${theirs} patch=${patch} />`)}</tbody>
      </table></div>
      <div class="answers">
        <button type="button" onClick=${() => rebase(theirs, {})}>${t('conflict.drop')}</button>
        <button type="button" class="primary" onClick=${keep}>${t('conflict.keep')}</button>
      </div>
    </section>`;
}

function Side({ path, base, theirs, patch }) {
  const [before, after, mine] = [valueAt(base, path), valueAt(theirs, path), valueAt(patch, path)];
  const both = after !== before && mine !== undefined && !same(path, mine, after);
  return html`
    <tr class=${both ? 'both' : ''}>
      <th scope="row">${t('rule.' + path)}${both && html` <span class="phase cancelled">${t('conflict.both')}</span>`}</th>
      <td>${shown(path, before)}</td>
      <td>${after === before ? html`<span class="muted">${t('conflict.same')}</span>` : html`<ins>${shown(path, after)}</ins>`}</td>
      <td>${mine === undefined ? html`<span class="muted">${t('conflict.same')}</span>` : html`<ins>${shown(path, mine)}</ins>`}</td>
    </tr>`;
}

function Confirm({ base, patch, rules, onClose, onStale }) {
  const money = patch.budget !== undefined;
  const [sure, setSure] = useState(!money);
  const [state, setState] = useState({ busy: false, problem: null });
  const revise = async () => {
    setState({ busy: true, problem: null });
    try {
      await send('PATCH', 'campaigns/' + base.id, patch, { ifMatch: base.etag });
      tell(t('revise.done', { name: base.name }));
      go('campaigns/' + base.id);
    } catch (problem) {
      setState({ busy: false, problem });
      if (problem.code === 'stale_revision') onStale();
    }
  };
  return html`
    <${Dialog} title=${t('revise.confirm', { name: base.name })} onClose=${onClose}>
      <ul class="changes">${differences(base, rules).map((path) => html`<${Change} key=${path} path=${path} from=${base} to=${rules} />`)}</ul>
      ${money && html`
        <p class="sentence">${sentence(rules)}</p>
        <label class="sure"><input type="checkbox" name="sure" checked=${sure} onChange=${(event) => setSure(event.currentTarget.checked)} /> ${t('create.sure', { total: yuan(rules.budget.total_fen) })}</label>`}
      <${Trouble} problem=${state.problem} />
      <${Answers} onClose=${onClose}>
        <${Deed} kind="primary" disabled=${!sure || state.busy} onClick=${revise}>${t('revise.do')}</${Deed}>
      </${Answers}>
    </${Dialog}>`;
}
