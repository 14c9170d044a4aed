// A question that has to be answered before anything else. Escape, like cancelling, answers no.
import { useEffect, useId, useRef } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { t } from './language.mjs';

export function Dialog({ title, onClose, wide, children }) {
  const element = useRef(null);
  const id = useId();
  useEffect(() => {
    const from = document.activeElement;
    element.current.showModal();
    return () => from?.focus?.();
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    onClose();
  };
  return html`
    <dialog ref=${element} class=${wide ? 'wide' : ''} aria-labelledby=${id} onCancel=${cancel}>
      <h2 id=${id}>${title}</h2>
      ${children}
    </dialog>`;
}

// Answers are a dialog's buttons; the first thing offered is not to do it.
export function Answers({ onClose, children }) {
  return html`
    <div class="answers">
      <button type="button" onClick=${onClose}>${t('action.back')}</button>
      ${children}
    </div>`;
}
