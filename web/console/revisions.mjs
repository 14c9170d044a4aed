// Who changed a campaign's rules, when, and from what to what.
import { html } from '../vendor/html.mjs';
import { t } from './language.mjs';
import { grouped } from './money.mjs';
import { Change, differences } from './rules.mjs';
import { full } from './time.mjs';

export function Revisions({ of }) {
  return html`
    <ol class="revisions" reversed>
      ${of.map((revision, i) => html`<${Revision} key=${revision.revision} of=${revision} after=${of[i - 1]} />`).reverse()}
    </ol>`;
}

function Revision({ of, after }) {
  const changed = after ? differences(after.rules, of.rules) : [];
  return html`
    <li>
      <p><b>${t('revision.number', { n: of.revision })}</b> ${t('revision.by', { actor: of.actor })} <time datetime=${of.at}>${full(of.at)}</time></p>
      ${after && html`<ul class="changes">${changed.map((path) => html`<${Change} key=${path} path=${path} from=${after.rules} to=${of.rules} />`)}</ul>`}
      ${of.segment && after && html`<p class="muted small">${t('revision.segment', { first: grouped(of.segment.first), count: grouped(of.segment.count) })}</p>`}
    </li>`;
}
