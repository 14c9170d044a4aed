// One player: the wallet, and what happened to it.
import { useEffect, useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { query, read } from './api.mjs';
import { Copy } from './copy.mjs';
import { t } from './language.mjs';
import { grouped, yuan } from './money.mjs';
import { Trouble } from './notice.mjs';
import { useLoad } from './poll.mjs';
import { Pages } from './campaigns.mjs';
import { go } from './route.mjs';
import { full } from './time.mjs';

export function Players({ uid }) {
  const [text, setText] = useState(uid ?? '');
  useEffect(() => setText(uid ?? ''), [uid]);
  const find = (event) => {
    event.preventDefault();
    if (text.trim()) go('players/' + encodeURIComponent(text.trim()));
  };
  return html`
    <header class="page"><h1>${t('players.title')}</h1></header>
    <form class="filters" onSubmit=${find} role="search">
      <input type="search" inputmode="numeric" name="uid" aria-label=${t('players.uid')} placeholder=${t('players.uid')} value=${text} onInput=${(e) => setText(e.currentTarget.value)} autofocus />
      <button class="primary">${t('players.find')}</button>
    </form>
    ${uid === undefined ? html`<p class="nothing">${t('players.about')}</p>` : html`<${Player} key=${uid} uid=${uid} />`}`;
}

const page = 50;

function Player({ uid }) {
  const [cursors, setCursors] = useState(['']);
  const cursor = cursors[cursors.length - 1];
  const path = 'players/' + encodeURIComponent(uid);
  const wallet = useLoad((signal) => read(path + '/wallet' + query({ limit: page, cursor }), { signal }), [uid, cursor]);
  const history = useLoad((signal) => read(path + '/history', { signal }), [uid]);
  if (wallet.problem) return html`<${Trouble} problem=${wallet.problem} />`;
  if (!wallet.data) return html`<p class="muted">${t('loading')}</p>`;
  const w = wallet.data;
  return html`
    <section class="panel">
      <h2>${t('players.player', { uid: w.uid })}</h2>
      <p class="balance"><b>${yuan(w.balance_fen)}</b> <span class="muted">${t('players.balance')}</span></p>
      ${w.as_of && html`<p class="trouble">${t('players.as_of', { time: full(w.as_of) })}</p>`}
      ${w.envelopes.length === 0 && cursor === '' && html`<p class="muted">${t('players.none')}</p>`}
      ${w.envelopes.length > 0 && html`<${Envelopes} of=${w.envelopes} />`}
      <${Pages} cursors=${cursors} setCursors=${setCursors} next=${w.next} />
    </section>
    ${w.envelopes.length > 0 && html`<${History} of=${history} />`}`;
}

function Envelopes({ of }) {
  return html`
    <div class="scroll"><table class="list">
      <thead><tr>
        <th>${t('envelope.id')}</th><th>${t('envelope.campaign')}</th><th>${t('envelope.status')}</th><th class="figure">${t('envelope.amount')}</th>
        <th>${t('envelope.won')}</th><th>${t('envelope.then')}</th><th>${t('envelope.key')}</th>
      </tr></thead>
      <tbody>${of.map((e) => html`
        <tr key=${e.id}>
          <td><${Copy} text=${e.id} /></td>
          <td><a href=${'#/campaigns/' + e.campaign_id}>${e.campaign_id}</a></td>
          <td><span class="state ${e.status}">${t('tally.' + e.status)}</span></td>
          <td class="figure"><b>${yuan(e.amount_fen)}</b>${!e.revealed && html`<br /><small>${t('envelope.hidden')}</small>`}</td>
          <td>${full(e.snatched_at)}</td>
          <td>${e.status === 'held' ? html`<small>${t('envelope.until')}</small> ${full(e.expires_at)}` : full(e.opened_at ?? e.refunded_at)}</td>
          <td><${Copy} text=${e.key} short=${10} /></td>
        </tr>`)}
      </tbody>
    </table></div>`;
}

function History({ of }) {
  if (of.problem) return html`<${Trouble} problem=${of.problem} />`;
  if (!of.data) return null;
  return html`
    <section class="panel">
      <h2>${t('players.history')}</h2>
      ${of.data.truncated && html`<p class="muted">${t('players.truncated')}</p>`}
      <div class="scroll tall" tabindex="0" role="region" aria-label=${t('players.history')}>
        <ol class="history" reversed>
          ${of.data.events.slice(-500).reverse().map((e) => html`
            <li key=${e.kind + e.envelope_id}>
              <time datetime=${e.at}>${full(e.at)}</time>
              <span class="state ${e.kind}">${t('kind_of.' + e.kind)}</span>
              <b>${yuan(e.amount_fen)}</b>
              <span class="muted">${t('players.event', { campaign: e.campaign_id, number: grouped(Number(BigInt(e.envelope_id) & 0xffffffffn)) })}</span>
            </li>`)}
        </ol>
      </div>
    </section>`;
}
