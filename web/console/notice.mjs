// What the page tells the person in front of it: that something was done, or why not.
import { signal } from '../vendor/signals.mjs';
import { html } from '../vendor/html.mjs';
import { has, t } from './language.mjs';
import { when } from './time.mjs';

const latest = signal(null);
let timer;

// tell shows a sentence for a while.
export function tell(text) {
  latest.value = text;
  clearTimeout(timer);
  timer = setTimeout(() => { latest.value = null; }, 6000);
}

export function Notices() {
  return html`<div class="notices" role="status" aria-live="polite">${latest.value && html`<p>${latest.value}</p>`}</div>`;
}

// reason is a problem in words: our own for its code.
export const reason = (problem) => (has('error.' + problem.code) ? t('error.' + problem.code) : t('error.other'));

// Trouble says what went wrong, in our words, with the server's own beside them.
export function Trouble({ problem, children }) {
  if (!problem) return null;
  return html`
    <div class="trouble" role="alert">
      <p>${reason(problem)}</p>
      ${problem.detail && html`<p class="detail" lang="en">${problem.detail}</p>`}
      ${children}
    </div>`;
}

// Freshness says that what is shown is old, and since when.
export function Freshness({ of }) {
  if (!of.problem) return null;
  if (of.problem.status !== 0 && !of.data) return html`<${Trouble} problem=${of.problem} />`;
  return html`
    <div class="trouble stale" role="alert">
      <p>${reason(of.problem)} ${of.at > 0 && t('stale.since', { time: when(new Date(of.at).toISOString()) })}</p>
      <button type="button" onClick=${of.reload}>${t('stale.now')}</button>
    </div>`;
}
