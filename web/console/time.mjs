// Times: the server's, in the server's zone.
import { signal } from '../vendor/signals.mjs';
import { t } from './language.mjs';

let ahead = 0; // milliseconds by which the server's clock is ahead of ours

export const zone = signal('UTC');

// now is the server's time in milliseconds, to the second.
export const now = signal(Date.now());

setInterval(tick, 1000);

function tick() {
  now.value = Date.now() + ahead;
}

// learnTime takes the server's time from an answer.
export function learnTime(text) {
  ahead = Date.parse(text) - Date.now();
  tick();
}

export function learnZone(name) {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    zone.value = name;
  } catch { // a zone that this browser does not know
    zone.value = 'UTC';
  }
}

// fields are year to second of a moment in the server's zone, as texts.
function fields(ms) {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone: zone.value, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit',
    hour: '2-digit', minute: '2-digit', second: '2-digit',
  }).formatToParts(ms);
  return Object.fromEntries(parts.map((p) => [p.type, p.value]));
}

// offset is how far the zone is ahead of UTC at a moment, in milliseconds.
function offset(ms) {
  const f = fields(ms);
  return Date.UTC(f.year, f.month - 1, f.day, f.hour, f.minute, f.second) - Math.floor(ms / 1000) * 1000;
}

// zoneLabel is the zone with its distance from UTC: Asia/Shanghai (UTC+08:00).
export function zoneLabel(ms = now.value) {
  const minutes = Math.round(offset(ms) / 60000);
  const two = (n) => String(n).padStart(2, '0');
  const distance = `UTC${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  return zone.value === 'UTC' ? 'UTC' : `${zone.value} (${distance})`;
}

// local is a moment as an input of type datetime-local has it, in the server's zone.
export function local(time) {
  const f = fields(typeof time === 'string' ? Date.parse(time) : time);
  return `${f.year}-${f.month}-${f.day}T${f.hour}:${f.minute}:${f.second}`;
}

// utc is RFC 3339 of what such an input holds; null where it holds nothing. Where clocks are put forward, what they skip is
// taken as the time after; where they are put back, the first of the two is meant.
export function utc(text) {
  const wall = Date.parse((text.length === 16 ? text + ':00' : text) + 'Z');
  if (Number.isNaN(wall)) return null;
  const [early, late] = [-1, 1].map((days) => wall - offset(wall + days * 86_400_000)); // by the clocks of the day before, and after
  const exists = (ms) => ms + offset(ms) === wall;
  return new Date(exists(early) || !exists(late) ? early : late).toISOString().replace('.000Z', 'Z');
}

// when is a moment as people read it: the date is left out where it is today.
export function when(time) {
  if (!time) return '';
  const ms = Date.parse(time);
  const text = local(ms);
  const [date, clock] = text.split('T');
  return date === local(now.value).split('T')[0] ? clock : `${date} ${clock}`;
}

// full is a moment with its date, always.
export const full = (time) => (time ? local(time).replace('T', ' ') : '');

// span is a length of time in its two largest units: 1 h 5 min.
export function span(seconds) {
  const units = [['d', 86400], ['h', 3600], ['min', 60], ['s', 1]];
  let rest = Math.max(0, Math.round(seconds));
  const parts = [];
  for (const [unit, size] of units) {
    const n = Math.floor(rest / size);
    rest %= size;
    if (n > 0) parts.push(`${n} ${t('unit.' + unit)}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.length > 0 ? parts.join(' ') : `0 ${t('unit.s')}`;
}

// secondsOf reads a duration as the server writes it: 24h0m0s, 1m0.5s.
export function secondsOf(text) {
  const size = { h: 3600, m: 60, s: 1, ms: 0.001 };
  let sum = 0;
  for (const [, n, unit] of text.matchAll(/([\d.]+)(ms|h|m|s)/g)) sum += Number(n) * size[unit];
  return sum;
}

// inWords is a moment seen from now: in 5 min, 5 min ago.
export function inWords(time) {
  const seconds = (Date.parse(time) - now.value) / 1000;
  return seconds >= 0 ? t('time.in', { span: span(Math.ceil(seconds)) }) : t('time.ago', { span: span(-seconds) });
}

