// The language of the page, and its words in it.
import { signal } from '../vendor/signals.mjs';
import { recall, remember } from './storage.mjs';
import words from './words.mjs';

export const language = signal(first());

function first() {
  const chosen = recall('localStorage', 'language');
  if (chosen in words) return chosen;
  return (globalThis.navigator?.language ?? '').toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

export function speak(chosen) {
  remember('localStorage', 'language', chosen);
  language.value = chosen;
}

// t is the text of that key, with {figure} replaced. Whoever renders with it renders again when the language changes.
export function t(key, figures = {}) {
  const text = words[language.value][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => figures[name] ?? whole);
}

// has tells whether there is a text of that key.
export const has = (key) => key in words[language.value];
