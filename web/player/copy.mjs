// Copying to the clipboard, also where a page may not write to it by itself.
import { useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { say } from './language.mjs';

export function CopyButton({ text, label = say('fair.copy'), class: name = '' }) {
  const [done, tell] = useState(false);
  const copy = async () => {
    tell(await copied(text));
    setTimeout(() => tell(false), 1800);
  };
  return html`<button class=${'copy ' + name} onClick=${copy}>${done ? '✓ ' + say('fair.copied') : label}</button>`;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedByHand(text); // no secure context, or an old WebView
  }
}

function copiedByHand(text) {
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'unseen';
  document.body.append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  return done;
}
