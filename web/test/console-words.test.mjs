// The console's words: every text that is asked for is there in both languages, and every error of the admin port has one.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const here = (path) => new URL(path, import.meta.url);
const { default: words } = await import('../console/words.mjs');
const modules = readdirSync(here('../console')).filter((name) => name.endsWith('.mjs') && name !== 'words.mjs');
const sources = modules.map((name) => readFileSync(here('../console/' + name), 'utf8'));
const goSources = (folder) => readdirSync(here(folder)).filter((name) => /(?<!_test)\.go$/.test(name)).map((name) => readFileSync(here(folder + name), 'utf8'));

test('both languages have the same texts, with the same figures in them', () => {
  assert.deepEqual(Object.keys(words.zh), Object.keys(words.en));
  const figures = (text) => [...text.matchAll(/\{\w+\}/g)].map(([figure]) => figure).sort();
  for (const [key, text] of Object.entries(words.zh)) {
    assert.notEqual(text.trim(), '', key);
    assert.notEqual(words.en[key].trim(), '', key);
    assert.deepEqual(figures(text), figures(words.en[key]), key);
  }
});

test('every text that a module asks for is there', () => {
  const keys = sources.flatMap((source) => [...source.matchAll(/\bt\(([^)]*)/g)]
    .flatMap(([, argument]) => [...argument.split(', {')[0].matchAll(/'([\w.]+)'/g)].map(([, key]) => key)))
    .filter((key) => key.includes('.') || key in words.en);
  assert.ok(keys.length > 250, `${keys.length} found`);
  for (const key of keys) {
    const there = key.endsWith('.') ? Object.keys(words.en).some((other) => other.startsWith(key)) : key in words.en;
    assert.ok(there, `no words for ${key}`);
  }
});

test('every error of the admin port has words', () => {
  const codes = new Set(goSources('../../adminapi/').flatMap((source) => [
    ...source.matchAll(/newProblem\([^,]+, "(\w+)"/g), ...source.matchAll(/running\("(\w+)"/g), ...source.matchAll(/http\.Status\w+, "(\w+)", (?:true|false)/g),
  ].map(([, code]) => code)));
  assert.ok(codes.size >= 18, [...codes].join(' '));
  for (const code of codes) assert.ok(`error.${code}` in words.en, `no words for the error ${code}`);
});

// What the server names, in Go, by prefix of the key.
const named = {
  'phase.': [/Phase\w+ +Phase = "(\w+)"/g, '../../'], 'refused.': [/reasonNames = \[reasons\]string\{([^}]*)\}/g, '../../gate/'],
  'status.': [/statusNames = \[Statuses\]string\{([^}]*)\}/g, '../../'], 'split.': [/Split = "(\w+)"/g, '../../'],
  'kind_of.': [/eventNames = map\[EventKind\]string\{([^}]*)\}/g, '../../'], 'check.': [/checkNames = \[checks\]string\{([^}]*)\}/g, '../../audit/'],
  'webhook.state.': [/State\w+ +State = "(\w+)"/g, '../../live/webhook/'], 'webhook.event.': [/that are journaled, each with an id\.\nconst \(([^)]*)\)/g, '../../live/'],
  'pace.': [/Pace = "(\w+)"/g, '../../'], 'signup.': [/Signup = "(\w+)"/g, '../../'], 'reveal.': [/Reveal = "(\w+)"/g, '../../'], 'kind.': [/Kind = "(\w+)"/g, '../../'],
};

for (const [prefix, [pattern, folder]] of Object.entries(named)) {
  test(`whatever the server calls ${prefix}… has words`, () => {
    const found = goSources(folder).flatMap((source) => [...source.matchAll(pattern)])
      .flatMap(([, inside]) => (inside.includes('"') ? [...inside.matchAll(/"(\w+)"/g)].map(([, name]) => name) : [inside]));
    assert.ok(found.length > 1, `${pattern} finds ${found}`);
    for (const name of found) assert.ok(prefix + name in words.en, `no words for ${prefix}${name}`);
  });
}

test('every rule has a name', () => {
  const [, block] = /const shows = \{([^}]*)\}/.exec(readFileSync(here('../console/rules.mjs'), 'utf8'));
  const paths = [...block.matchAll(/^ {2}'?([\w.]+)'?:/gm)].map(([, path]) => path);
  assert.equal(paths.length, 22);
  for (const path of [...paths, 'lasts']) assert.ok('rule.' + path in words.en, `no words for rule.${path}`);
});

test('every module is fetched at once, not when another one is found to want it', () => {
  const page = readFileSync(here('../console/index.html'), 'utf8');
  const preloaded = [...page.matchAll(/modulepreload" href="console\/([\w.]+)"/g)].map(([, name]) => name);
  assert.deepEqual(preloaded, readdirSync(here('../console')).filter((name) => name.endsWith('.mjs') && name !== 'main.mjs').sort());
});
