// The list of campaigns.
import { useEffect, useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { query, read } from './api.mjs';
import { BudgetBar, parts } from './budget.mjs';
import { Deed } from './deed.mjs';
import { language, t } from './language.mjs';
import { grouped, yuan } from './money.mjs';
import { Freshness } from './notice.mjs';
import { Next, Phase } from './phase.mjs';
import { usePoll } from './poll.mjs';
import { go } from './route.mjs';

const phases = ['', 'scheduled', 'countdown', 'open', 'closed', 'settled'];
const page = 25;

export function Campaigns() {
  const [phase, setPhase] = useState('');
  const [search, setSearch] = useState('');
  const [cursors, setCursors] = useState(['']); // of the pages up to the one shown
  const settled = useSettled(search);
  const cursor = cursors[cursors.length - 1];
  const list = usePoll((signal) => read('campaigns' + query({ phase, search: settled, cursor, limit: page }), { signal }), 3000, [phase, settled, cursor]);
  const first = (change) => (value) => {
    change(value);
    setCursors(['']);
  };
  return html`
    <header class="page">
      <h1>${t('campaigns.title')}</h1>
      <${Deed} kind="primary" onClick=${() => go('campaigns/new')}>${t('campaigns.new')}</${Deed}>
    </header>
    <div class="filters">
      <input type="search" aria-label=${t('campaigns.search')} placeholder=${t('campaigns.search')} value=${search} onInput=${(e) => first(setSearch)(e.currentTarget.value)} />
      <div class="segments" role="group" aria-label=${t('campaigns.phase')}>
        ${phases.map((p) => html`
          <button key=${p} type="button" aria-pressed=${p === phase} onClick=${() => first(setPhase)(p)}>${t(p ? 'phase.' + p : 'campaigns.all')}</button>`)}
      </div>
    </div>
    <${Freshness} of=${list} />
    <${List} page=${list.data} filtered=${phase !== '' || settled !== ''} />
    <${Pages} cursors=${cursors} setCursors=${setCursors} next=${list.data?.next} />`;
}

// useSettled is a text once it has not changed for a moment.
export function useSettled(text, ms = 250) {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), ms);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

function List({ page, filtered }) {
  if (!page) return html`<p class="muted">${t('loading')}</p>`;
  if (page.campaigns.length === 0) return html`<p class="nothing">${t(filtered ? 'campaigns.none_found' : 'campaigns.none')}</p>`;
  return html`
    <table class="list campaigns">
      <thead><tr><th>${t('campaigns.campaign')}</th><th>${t('campaigns.phase')}</th><th>${t('campaigns.left')}</th><th>${t('campaigns.next')}</th></tr></thead>
      <tbody>${page.campaigns.map((c) => html`<${Row} key=${c.id} of=${c} />`)}</tbody>
    </table>`;
}

function Row({ of }) {
  const { left } = parts(of);
  return html`
    <tr onClick=${() => go('campaigns/' + of.id)}>
      <td>
        <a href=${'#/campaigns/' + of.id}>${of.name}</a>
        <small>${[t('kind.' + of.kind), titleOf(of)].filter(Boolean).join(' · ')}</small>
      </td>
      <td><${Phase} of=${of} /></td>
      <td class="money">
        <span><b>${yuan(left.total_fen)}</b> <small>${t('campaigns.of', { total: yuan(of.budget.total_fen), left: grouped(left.count) })}</small></span>
        <${BudgetBar} of=${of} />
      </td>
      <td><${Next} of=${of} /></td>
    </tr>`;
}

// titleOf is a campaign's title in the language of the page, or in the other.
export const titleOf = (c) => c.title[language.value] ?? c.title.zh ?? c.title.en ?? '';

// Pages leads from a page to the next and back, by the cursors that led here.
export function Pages({ cursors, setCursors, next }) {
  if (cursors.length === 1 && !next) return null;
  return html`
    <nav class="pages" aria-label=${t('pages.label')}>
      <button type="button" disabled=${cursors.length === 1} onClick=${() => setCursors(cursors.slice(0, -1))}>${t('pages.back')}</button>
      <span>${t('pages.page', { n: cursors.length })}</span>
      <button type="button" disabled=${!next} onClick=${() => setCursors([...cursors, next])}>${t('pages.next')}</button>
    </nav>`;
}
