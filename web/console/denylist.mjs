// Who may not play: players, addresses and networks.
import { useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { read, send } from './api.mjs';
import { Deed } from './deed.mjs';
import { Field } from './field.mjs';
import { t } from './language.mjs';
import { grouped } from './money.mjs';
import { tell, Trouble } from './notice.mjs';
import { mayChange } from './session.mjs';

const shownMax = 100;
const triesMax = 5;

// change makes a new list of the one in force and sends it. Adding and removing go together with whatever somebody else does
// meanwhile, so that a list that has changed is simply taken again.
async function change(make) {
  for (let tries = 1; ; tries++) {
    const settings = await read('gate');
    try {
      return await send('PATCH', 'gate', { denylist: make(settings.denylist) }, { ifMatch: settings.etag });
    } catch (problem) {
      if (problem.code !== 'stale_revision' || tries === triesMax) throw problem;
    }
  }
}

export function Denylist({ settings, reload }) {
  const [search, setSearch] = useState('');
  const [text, setText] = useState('');
  const [state, setState] = useState({ busy: false, problem: null });
  const found = settings.denylist.filter((entry) => entry.includes(search.trim()));
  const added = text.split(/[\s,;，；]+/).filter(Boolean);
  const does = async (make, said) => {
    setState({ busy: true, problem: null });
    try {
      await change(make);
      setState({ busy: false, problem: null });
      tell(said);
      reload();
      return true;
    } catch (problem) {
      setState({ busy: false, problem });
      return false;
    }
  };
  const add = async (event) => {
    event.preventDefault();
    if (await does((list) => [...list, ...added.filter((entry) => !list.includes(entry))], t('deny.added', { n: added.length }))) setText('');
  };
  const remove = (entry) => does((list) => list.filter((other) => other !== entry), t('deny.removed', { entry }));
  const form = { values: { text }, wrong: {}, disabled: !mayChange.value, set: (_, value) => setText(value) };
  return html`
    <section class="panel denylist">
      <h2>${t('deny.title', { n: grouped(settings.denylist.length) })}</h2>
      <form class="inline" onSubmit=${add}>
        <${Field} form=${form} path="text" label=${t('deny.entries')} hint=${t('deny.hint')} />
        <${Deed} type="submit" disabled=${added.length === 0 || state.busy}>${t('deny.add')}</${Deed}>
      </form>
      <${Trouble} problem=${state.problem} />
      ${settings.denylist.length > 0 && html`
        <input type="search" aria-label=${t('deny.search')} placeholder=${t('deny.search')} value=${search} onInput=${(e) => setSearch(e.currentTarget.value)} />
        <ul class="entries">${found.slice(0, shownMax).map((entry) => html`
          <li key=${entry}><code>${entry}</code> <${Deed} kind="quiet" aria-label=${t('deny.remove', { entry })} disabled=${state.busy} onClick=${() => remove(entry)}>✕</${Deed}></li>`)}
        </ul>
        ${found.length > shownMax && html`<p class="muted small">${t('deny.more', { n: grouped(found.length - shownMax) })}</p>`}
        ${found.length === 0 && html`<p class="muted">${t('deny.none_found')}</p>`}`}
    </section>`;
}
