// A sheet: from below on a phone, in the middle elsewhere.
import { useRef } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { useFocusWithin } from './focus.mjs';
import { Icon } from './icon.mjs';
import { say } from './language.mjs';

export function Sheet({ name, title, close, children }) {
  const box = useRef(null);
  useFocusWithin(box, close);
  return html`<div class="veil" onClick=${event => { if (event.target === event.currentTarget) close(); }}>
    <section class="sheet" data-name=${name} role="dialog" aria-modal="true" aria-labelledby="sheet-title" ref=${box}>
      <div class="sheet-head">
        <h2 id="sheet-title">${title}</h2>
        <button class="sheet-close" aria-label=${say('sheet.close')} onClick=${close}><${Icon} name="close"/></button>
      </div>
      <div class="sheet-body" tabindex="0" role="group" aria-label=${title}>${children}</div>
    </section>
  </div>`;
}
