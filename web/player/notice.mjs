// What is going on with the snatch under way, and what came of the last: seen as a ribbon, heard by screen readers.
import { computed, signal } from '../vendor/signals.mjs';
import { useEffect } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { now } from './clock.mjs';
import { has, say } from './language.mjs';
import { asking, outcome } from './snatch.mjs';

const shownMs = 3500;

// note is a text to show for a while: {text, at}.
const note = signal(null);
export function notify(text) {
  note.value = { text, at: now.peek() };
}

// wordsOf says an outcome.
export function wordsOf({ status, error }) {
  return status ? say('status.' + status) : say('error.' + error);
}

const underWay = computed(() => {
  const a = asking.value;
  if (!a || a.state === 'sent' || a.state === 'lot') return '';
  const because = 'asking.' + a.because;
  return say(a.state === 'busy' && has(because) ? because : 'asking.' + a.state);
});

// Of what the stage shows by itself nothing more is said.
const quiet = ['won', 'sold_out', 'limit_reached', 'daily_limit_reached', 'not_signed_up', 'paused', 'cancelled', 'denied', 'not_found', 'missed'];

const latest = computed(() => {
  const time = now.value, result = outcome.value, n = note.value;
  if (n && time - n.at < shownMs) return n.text;
  if (!result || time - result.at > shownMs || quiet.includes(result.status || result.error)) return '';
  return wordsOf(result);
});

export function Notice() {
  const waiting = underWay.value, text = waiting || latest.value, result = outcome.value;
  useEffect(() => {
    if (result && result.status === 'won' && navigator.vibrate) navigator.vibrate(40);
  }, [result]);
  return html`<div class="notice">
    ${text && html`<p class=${'ribbon' + (waiting ? ' waiting' : '')}>${waiting && html`<span class="spinner" aria-hidden="true"></span>`}${text}</p>`}
    <p class="unseen" role="status" aria-live="polite">${waiting || note.value && latest.value || (result ? wordsOf(result) : '')}</p>
  </div>`;
}
