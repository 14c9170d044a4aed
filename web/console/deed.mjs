// A button that changes something: only an operator may press it.
import { html } from '../vendor/html.mjs';
import { t } from './language.mjs';
import { mayChange } from './session.mjs';

export function Deed({ kind = '', disabled, onClick, type = 'button', children, ...rest }) {
  const denied = !mayChange.value;
  return html`
    <button type=${type} class=${kind} disabled=${disabled || denied} title=${denied ? t('viewer.why') : undefined} onClick=${onClick} ...${rest}>
      ${children}
    </button>`;
}

// ReadOnly says why nothing can be changed here.
export function ReadOnly() {
  return mayChange.value ? null : html`<p class="readonly" role="note">${t('viewer.why')}</p>`;
}
