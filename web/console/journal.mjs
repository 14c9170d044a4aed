// The journal, page by page.
import { useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { download, lines, query } from './api.mjs';
import { Copy } from './copy.mjs';
import { t } from './language.mjs';
import { yuan } from './money.mjs';
import { tell, Trouble } from './notice.mjs';
import { useLoad } from './poll.mjs';
import { useSettled } from './campaigns.mjs';
import { full } from './time.mjs';

const page = 50;
const exportMax = 100_000; // events, the server's limit

export function Journal({ search }) {
  const [campaign, setCampaign] = useState(search.get('campaign') ?? '');
  const [start, setStart] = useState(search.get('from') ?? '');
  const [pages, setPages] = useState([]); // positions after which the pages after the first begin
  const chosen = useSettled(campaign);
  const begin = useSettled(start);
  const from = pages[pages.length - 1] ?? begin;
  const events = useLoad((signal) => lines('journal' + query({ from, campaign: chosen, limit: page + 1 }), { signal }), [from, chosen]);
  const shown = events.data?.slice(0, page) ?? [];
  const more = events.data?.length > page;
  const reset = (set) => (event) => {
    set(event.currentTarget.value.trim());
    setPages([]);
  };
  return html`
    <header class="page">
      <h1>${t('journal.title')}</h1>
      <button type="button" onClick=${() => save(from, chosen)}>${t('journal.export')}</button>
    </header>
    <div class="filters">
      <input type="search" inputmode="numeric" aria-label=${t('journal.campaign')} placeholder=${t('journal.campaign')} value=${campaign} onInput=${reset(setCampaign)} />
      <input type="search" aria-label=${t('journal.from')} placeholder=${t('journal.from')} value=${start} onInput=${reset(setStart)} />
      <button type="button" onClick=${events.reload}>${t('report.again')}</button>
    </div>
    <${Trouble} problem=${events.problem} />
    ${!events.data && !events.problem && html`<p class="muted">${t('loading')}</p>`}
    ${events.data && shown.length === 0 && html`<p class="nothing">${t('journal.none')}</p>`}
    ${shown.length > 0 && html`<${Events} of=${shown} />`}
    <nav class="pages" aria-label=${t('pages.label')}>
      <button type="button" disabled=${pages.length === 0} onClick=${() => setPages(pages.slice(0, -1))}>${t('pages.back')}</button>
      <span>${t('pages.page', { n: pages.length + 1 })}</span>
      <button type="button" disabled=${!more} onClick=${() => setPages([...pages, shown[shown.length - 1].position])}>${t('pages.next')}</button>
    </nav>`;
}

async function save(from, campaign) {
  tell(t('download.begun'));
  try {
    await download('journal' + query({ from, campaign, format: 'csv', limit: exportMax }), 'journal.csv');
    tell(t('download.done'));
  } catch {
    tell(t('download.failed'));
  }
}

function Events({ of }) {
  return html`
    <div class="scroll sheet" tabindex="0" role="region" aria-label=${t('journal.title')}><table class="list journal">
      <thead><tr><th>${t('journal.at')}</th><th>${t('journal.kind')}</th><th>${t('journal.campaign')}</th><th>${t('journal.what')}</th><th>${t('journal.position')}</th></tr></thead>
      <tbody>${of.map((e) => html`
        <tr key=${e.position}>
          <td>${full(e.at)}</td>
          <td><span class="state ${e.kind}">${t('kind_of.' + e.kind)}</span></td>
          <td>${e.campaign_id && html`<a href=${'#/campaigns/' + e.campaign_id}>${e.campaign_id}</a>`}</td>
          <td>${what(e)}</td>
          <td><${Copy} text=${e.position} /></td>
        </tr>`)}
      </tbody>
    </table></div>`;
}

// what says what an event is about.
function what(e) {
  const player = html`<a href=${'#/players/' + e.uid}>${t('players.player', { uid: String(e.uid) })}</a>`;
  if (e.amount_fen) return html`<b>${yuan(e.amount_fen)}</b> ${player}`;
  if (e.kind === 'signed_up') return html`${player} ${e.actor && t('revision.by', { actor: e.actor })}`;
  if (e.kind === 'recorded') return html`<code>${e.name}</code> ${e.actor && t('revision.by', { actor: e.actor })}`;
  const said = e.kind === 'sealed' ? t(e.cancelled ? 'journal.cancelled' : 'journal.closed') : t('revision.number', { n: e.revision });
  return html`${said} ${t('revision.by', { actor: e.actor })}`;
}
