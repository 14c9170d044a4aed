// What people type into the forms of campaigns, and what it is to the server.
import { countOf, fenOf, shareOf } from './money.mjs';
import { durationOf } from './field.mjs';
import { local, utc } from './time.mjs';

// reads is how the text of a field is read; null is a text that can't be.
const reads = {
  'budget.total_fen': fenOf,
  'budget.count': countOf,
  'budget.min_fen': fenOf,
  'budget.max_fen': fenOf,
  opens_at: utc,
  closes_at: utc,
  chance: shareOf,
  wins_max: countOf,
  daily_wins_max: countOf,
};

const misread = {
  'budget.total_fen': 'wrong.amount', 'budget.min_fen': 'wrong.amount', 'budget.max_fen': 'wrong.amount',
  'budget.count': 'wrong.count', wins_max: 'wrong.count', daily_wins_max: 'wrong.count',
  opens_at: 'wrong.time', closes_at: 'wrong.time', chance: 'wrong.share',
  lasts: 'wrong.length', open_for: 'wrong.length', fair_start: 'wrong.length',
};

// readFields reads the fields at the paths: {value, wrong}, where value is nested as the server wants it.
export function readFields(values, paths) {
  const value = {};
  const wrong = {};
  for (const path of paths) {
    const read = readField(values, path);
    if (read === null) wrong[path] = misread[path];
    else if (read !== undefined) put(value, path, read);
  }
  return { value, wrong };
}

function readField(values, path) {
  const text = values[path];
  if (path in misread && !(path in reads)) return durationOf(values, path);
  if (text === undefined || text === '') return undefined;
  return path in reads ? reads[path](text) : text;
}

// put sets the value at a path such as budget.total_fen.
export function put(object, path, value) {
  const [first, ...rest] = path.split('.');
  if (rest.length === 0) object[first] = value;
  else put((object[first] ??= {}), rest.join('.'), value);
}

const lasts = { rain: ['10', 'min'], bomb: ['15', 's'] };

// newDraft is a form nobody has typed into: it opens in ten minutes, on a whole minute.
export function newDraft(kind, now) {
  const opens = local(Math.ceil((now + 600_000) / 60_000) * 60_000);
  return {
    kind, name: suggestName(kind, opens), opens_at: opens, lasts: lasts[kind][0], 'lasts.unit': lasts[kind][1],
    'open_for.unit': 'h', 'fair_start.unit': 's', ...(kind === 'bomb' ? bomb : rain),
  };
}

const rain = { 'budget.split': 'double_mean', pace: 'none', signup: 'none', reveal: 'on_open' };
const bomb = { 'budget.split': 'normal', pace: 'none', signup: 'open', reveal: 'on_snatch' };

// suggestName is a name after kind and time: rain-20270205-2000.
const suggestName = (kind, opens) => `${kind}-${opens.slice(0, 16).replaceAll('-', '').replace('T', '-').replace(':', '')}`;

// ofKind is the draft for the other kind, with what was typed kept and what was suggested suggested anew.
export function ofKind(values, kind, typed, now) {
  const fresh = newDraft(kind, now);
  const kept = Object.entries(values).filter(([path]) => typed.has(path));
  return { ...fresh, ...Object.fromEntries(kept), kind };
}

export const specPaths = [
  'name', 'title.zh', 'title.en', 'rules_text.zh', 'rules_text.en', 'kind', 'opens_at', 'lasts', 'open_for',
  'budget.total_fen', 'budget.count', 'budget.min_fen', 'budget.max_fen', 'budget.split', 'chance', 'pace', 'wins_max',
  'daily_wins_max', 'signup', 'reveal', 'ticket', 'fair_start', 'paused',
];

export const patchPaths = [
  'budget.total_fen', 'budget.count', 'budget.min_fen', 'budget.max_fen', 'opens_at', 'closes_at', 'chance', 'pace', 'wins_max',
  'daily_wins_max',
];
