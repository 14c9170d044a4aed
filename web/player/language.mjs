// The language, and everything that is written in it: words, amounts, times.
import { computed, signal } from '../vendor/signals.mjs';
import { recallForAll, rememberForAll } from './storage.mjs';
import words from './words.mjs';

function preferred() {
  const asked = new URLSearchParams(location.search).get('lang');
  const wishes = [asked, recallForAll('language'), ...(navigator.languages || [navigator.language])];
  for (const wish of wishes) {
    const language = String(wish || '').toLowerCase().split('-')[0];
    if (words[language]) return language;
  }
  return 'en';
}

export const language = signal(preferred());

export function switchLanguage() {
  language.value = language.value === 'zh' ? 'en' : 'zh';
  rememberForAll('language', language.value);
}

// say is the text of a key, with {names} filled in. Of a key that there is none of, what came after the dot is better
// than nothing.
export function say(key, values = {}) {
  const text = words[language.value][key];
  if (text === undefined) return key.split('.').pop().replace(/_/g, ' ');
  return text.replace(/\{(\w+)\}/g, (all, name) => values[name] === undefined ? all : values[name]);
}

export const has = key => words[language.value][key] !== undefined;

// textOf picks from a text in both languages, or else the one there is.
export function textOf(text) {
  const { zh = '', en = '' } = text || {};
  return language.value === 'zh' ? zh || en : en || zh;
}

export const titleOf = c => textOf(c.title) || say('kind.' + c.kind);

// yuan writes an amount exactly: in integers, with the thousands apart.
export function yuan(fen) {
  const digits = String(fen).padStart(3, '0');
  return '¥' + digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ',') + '.' + digits.slice(-2);
}

const locale = computed(() => language.value === 'zh' ? 'zh-CN' : 'en-GB');

// moment is the day where it is not today's, and the time.
export function moment(time, today = Date.now()) {
  const date = new Date(time), day = new Date(today);
  const same = date.toDateString() === day.toDateString();
  const options = { hour: '2-digit', minute: '2-digit', hour12: false };
  if (!same) Object.assign(options, { month: language.value === 'zh' ? 'long' : 'short', day: 'numeric' });
  return new Intl.DateTimeFormat(locale.value, options).format(date);
}

// span is a length of time in its two largest units.
export function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts = [['day', 86400], ['hour', 3600], ['minute', 60], ['second', 1]];
  const texts = [];
  let rest = seconds;
  for (const [unit, size] of parts) {
    const n = Math.floor(rest / size);
    rest -= n * size;
    if (n > 0) texts.push(`${n} ${say('time.' + unit)}`);
  }
  return texts.slice(0, 2).join(' ') || `0 ${say('time.second')}`;
}

// clockFace is a length of time as 1:05.
export function clockFace(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const two = n => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600), minutes = Math.floor(seconds / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

export const thousands = n => String(n).replace(/\B(?=(\d{3})+$)/g, ',');
