// The rules of a campaign in the order in which people ask for them, and what differs between two.
import { html } from '../vendor/html.mjs';
import { t } from './language.mjs';
import { grouped, percent, yuan } from './money.mjs';
import { full, secondsOf, span } from './time.mjs';

const limit = (n) => (n === 0 ? t('rule.no_limit') : grouped(n));
const yes = (on) => t(on ? 'yes' : 'no');
const duration = (text) => (text ? span(secondsOf(text)) : t('rule.off'));
const named = (field) => (value) => t(`${field}.${value}`);
const text = (value) => value || '–';

// shows is how the value of each field is shown, by its path.
const shows = {
  kind: named('kind'),
  'title.zh': text,
  'title.en': text,
  'rules_text.zh': text,
  'rules_text.en': text,
  'budget.total_fen': yuan,
  'budget.count': grouped,
  'budget.min_fen': yuan,
  'budget.max_fen': yuan,
  'budget.split': named('split'),
  opens_at: full,
  closes_at: full,
  open_for: duration,
  chance: (share) => percent(share) + '%',
  pace: named('pace'),
  wins_max: limit,
  daily_wins_max: limit,
  signup: named('signup'),
  reveal: named('reveal'),
  ticket: yes,
  fair_start: duration,
  paused: yes,
};

export const fieldPaths = Object.keys(shows);

// valueAt is the value at a path such as budget.total_fen.
export const valueAt = (rules, path) => path.split('.').reduce((value, key) => value?.[key], rules);

// shown is a field's value in words.
export const shown = (path, value) => shows[path](value);

// differences are the fields in which two sets of rules differ.
export function differences(from, to) {
  return fieldPaths.filter((path) => (valueAt(from, path) ?? '') !== (valueAt(to, path) ?? ''));
}

export function Rules({ of }) {
  const told = fieldPaths.filter((path) => !/^(title|rules_text)\./.test(path) || valueAt(of, path));
  return html`
    <dl class="rules">
      ${told.map((path) => html`
        <div key=${path}><dt>${t('rule.' + path)}</dt><dd>${shown(path, valueAt(of, path))}</dd></div>`)}
    </dl>`;
}

// Change is one field's old and new value.
export function Change({ path, from, to }) {
  return html`
    <li><span>${t('rule.' + path)}</span> <del>${shown(path, valueAt(from, path))}</del> → <ins>${shown(path, valueAt(to, path))}</ins></li>`;
}
