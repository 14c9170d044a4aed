// The webhooks: who is told of what happens, and whether it arrives.
import { html } from '../vendor/html.mjs';
import { read } from './api.mjs';
import { Deed } from './deed.mjs';
import { t } from './language.mjs';
import { Freshness } from './notice.mjs';
import { usePoll } from './poll.mjs';
import { go } from './route.mjs';
import { inWords } from './time.mjs';
import { Webhook } from './webhook.mjs';
import { EditWebhook, WebhookForm } from './webhookform.mjs';

export function Webhooks({ name, deed }) {
  if (deed === 'new') return html`<${WebhookForm} />`;
  if (name === undefined) return html`<${List} />`;
  return deed === 'edit' ? html`<${EditWebhook} key=${name} name=${name} />` : html`<${Webhook} key=${name} name=${name} />`;
}

function List() {
  const live = usePoll((signal) => read('webhooks', { signal }), 2000, []);
  return html`
    <header class="page">
      <h1>${t('webhooks.title')}</h1>
      <${Deed} kind="primary" onClick=${() => go('webhooks?do=new')}>${t('webhooks.new')}</${Deed}>
    </header>
    <${Freshness} of=${live} />
    ${live.data?.webhooks.length === 0 && html`<p class="nothing">${t('webhooks.none')}</p>`}
    ${live.data?.webhooks.length > 0 && html`
      <table class="list campaigns webhooks">
        <thead><tr><th>${t('webhooks.webhook')}</th><th>${t('webhooks.state')}</th><th>${t('webhooks.events')}</th><th>${t('webhooks.accepted')}</th></tr></thead>
        <tbody>${live.data.webhooks.map((w) => html`<${Row} key=${w.name} of=${w} />`)}</tbody>
      </table>`}`;
}

function Row({ of }) {
  const path = 'webhooks/' + encodeURIComponent(of.name);
  return html`
    <tr onClick=${() => go(path)}>
      <td><a href=${'#/' + path}>${of.name}</a><small class="url">${of.url}</small></td>
      <td><${State} of=${of} /></td>
      <td><small class="narrow">${t('webhooks.events')}</small> ${listed(of.events, (name) => t('webhook.event.' + name))}</td>
      <td><small class="narrow">${t('webhooks.accepted')}</small> ${of.last_accepted ? inWords(of.last_accepted) : '–'}</td>
    </tr>`;
}

// listed are names in words; none is all.
export const listed = (names, show) => (names.length === 0 ? t('webhooks.all') : names.map(show).join(t('webhook.comma')));

const colors = { ok: 'open', starting: 'scheduled', failing: 'countdown', parked: 'cancelled', gone: 'cancelled', broken: 'cancelled', disabled: '' };

// State is how a webhook fares, in a word.
export const State = ({ of }) => html`<span class="phase ${colors[of.state]}">${t('webhook.state.' + of.state)}</span>`;
