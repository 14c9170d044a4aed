// A text that is worth copying: an id, a position, a hash.
import { useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { t } from './language.mjs';

export function Copy({ text, short }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text).catch(() => {}); // without the right to, it can still be selected
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  const shown = short && text.length > short ? text.slice(0, short) + '…' : text;
  return html`
    <span class="copy">
      <code title=${text}>${shown}</code>
      <button type="button" class="quiet" onClick=${copy} aria-label=${t('action.copy_that', { text: shown })}>
        ${done ? '✓' : html`<svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><path d="M5.5 5.5v-3h8v8h-3m-8-5h8v8h-8z" /></svg>`}
      </button>
    </span>`;
}
