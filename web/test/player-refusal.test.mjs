// Every way in which the player page is told no, in both languages; and that it has words for all that the server can say.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'acorn';
import { axe, start } from './harness.mjs';
import { as, bomb, pathOf, press, rain, uidOf, winsOf } from './player-play.mjs';
import words from '../player/words.mjs';

const world = await start({ config: 'gate: {player: {rate: 0}}\n' });
const file = path => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const player = readdirSync(new URL('../player/', import.meta.url)).filter(name => name.endsWith('.mjs'));

test('every status and every error of the server has words in both languages', () => {
  const constants = [...file('status.go').split('statusNames')[1].split('}')[0].matchAll(/"([a-z_]+)"/g)].map(m => 'status.' + m[1]);
  const problems = [...file('playerapi/problem.go').matchAll(/newProblem\("([a-z_]+)"/g)].map(m => 'error.' + m[1]);
  assert.ok(constants.length >= 11 && problems.length >= 15, `${constants.length} statuses, ${problems.length} errors were found`);
  const more = ['opened', 'expired', 'held', 'refunded', 'signed_up', 'not_required', 'invited_only'].map(s => 'status.' + s);
  for (const key of [...constants, ...problems, ...more, 'error.offline']) {
    for (const language of ['zh', 'en']) assert.ok(words[language][key], `${language} has no words for ${key}`);
  }
});

test('the words of both languages are of the same keys, and are those that the page says', () => {
  assert.deepEqual(Object.keys(words.zh).sort(), Object.keys(words.en).sort());
  const text = player.filter(name => name !== 'words.mjs').map(name => file('web/player/' + name)).join('\n');
  for (const [, key] of text.matchAll(/say\('([a-z_]+\.[a-z_]*[a-z])'/g)) assert.ok(words.en[key], `there are no words for ${key}`);
  for (const key of Object.keys(words.en)) {
    const [group, name] = key.split('.');
    assert.ok(text.includes(`'${key}'`) || text.includes(`'${group}.' +`) || text.includes(`'${name}'`) || text.includes(`'${group}.${name.split('_')[0]}_' +`), `nothing says ${key}`);
  }
});

test('the page is written in the JavaScript of the oldest browsers it supports', () => {
  const vendored = ['preact', 'hooks', 'htm', 'html', 'signals', 'signals-core', 'confetti'].map(name => `web/vendor/${name}.mjs`);
  for (const path of [...player.map(name => 'web/player/' + name), ...vendored]) {
    assert.doesNotThrow(() => parse(file(path), { ecmaVersion: 2020, sourceType: 'module' }), path);
  }
});

// says waits until the page shows a status or an error in its language, then in the other.
async function says(page, key) {
  for (let i = 0; i < 2; i++) {
    const language = await page.evaluate(() => document.documentElement.lang.slice(0, 2));
    const text = words[language][key];
    await page.waitForFunction(text => [...document.querySelectorAll('main, .ribbon, .unseen[role="status"]')].some(e => e.textContent.includes(text)), text);
    await page.locator('.language').evaluate(button => button.click());
  }
}

const cards = {
  paused: async () => ({ campaign: await rain(world, { paused: true }) }),
  cancelled: async () => {
    const campaign = await rain(world);
    await world.cancel(campaign.id);
    return { campaign };
  },
  sold_out: async () => {
    const campaign = await rain(world, { budget: { total_fen: 1, count: 1 } });
    await world.play(1, 'POST', `/v1/campaigns/${campaign.id}/snatch`);
    return { campaign };
  },
  limit_reached: async () => {
    const campaign = await rain(world, { wins_max: 1 });
    await world.play(3_000_001, 'POST', `/v1/campaigns/${campaign.id}/snatch`);
    return { campaign, uid: 3_000_001 };
  },
  daily_limit_reached: async () => {
    const first = await rain(world, { wins_max: 1 });
    await world.play(3_000_002, 'POST', `/v1/campaigns/${first.id}/snatch`);
    return { campaign: await rain(world, { daily_wins_max: 1 }), uid: 3_000_002, snatches: true };
  },
  not_signed_up: async () => ({ campaign: await rain(world, { signup: 'open' }), snatches: true }),
  invited_only: async () => ({ campaign: await rain(world, { signup: 'invited' }), snatches: true }),
};

test('cards say why there is nothing to snatch', async t => {
  const page = await world.newPage(t);
  for (const [status, prepare] of Object.entries(cards)) {
    const { campaign, uid = 3_000_000, snatches } = await prepare();
    await page.evaluate(uid => localStorage.setItem('hongbao.demo', JSON.stringify(uid)), String(uid));
    await page.goto(world.player + pathOf(campaign));
    if (snatches) await press(page);
    await page.locator('.refusal').waitFor();
    await says(page, 'status.' + status);
    if (status === 'daily_limit_reached') { // the page may be open for longer than a day
      await page.locator('.refusal .quiet').click();
      await page.locator('.rain-field').waitFor();
    }
    if (status !== 'not_signed_up') continue;
    await axe(page);
    await page.locator('.refusal .gold').click();
    await page.locator('.rain-field').waitFor(); // and plays on
  }
});

test('closed, while it is played: the end says what was won', async t => {
  const campaign = await rain(world);
  const page = await world.newPage(t, { path: pathOf(campaign) });
  await press(page);
  await page.locator('.win-open').waitFor();
  await page.keyboard.press('Escape');
  await world.revise(campaign.id, { closes_at: new Date(Date.now() + 1500).toISOString() });
  await page.locator('.end').waitFor();
  await page.waitForFunction(() => /1/.test(document.querySelector('.tally').textContent));
  await axe(page);
  // Another tab that does not know yet is told by the answer.
  const answer = await world.play(await uidOf(page), 'POST', `/v1/campaigns/${campaign.id}/snatch`);
  assert.equal(answer.body.status, 'closed');
});

test('paused, resumed, and limits raised: who stays plays on', async t => {
  const campaign = await rain(world, { wins_max: 1 });
  const page = await world.newPage(t, { path: pathOf(campaign) });
  await page.locator('.rain-field').waitFor();
  await world.revise(campaign.id, { paused: true });
  await page.locator('.refusal[data-why="paused"]').waitFor();
  await world.revise(campaign.id, { paused: false });
  await press(page);
  await page.locator('.win-open').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.refusal[data-why="limit_reached"]').waitFor();
  await world.revise(campaign.id, { wins_max: 2 });
  await page.locator('.rain-field').waitFor();
});

test('missed: the words rise, and the next tap asks again', async t => {
  const campaign = await rain(world, { chance: 0.000000001 });
  const page = await world.newPage(t, { path: pathOf(campaign) });
  await press(page);
  await says(page, 'status.missed');
  const again = page.waitForResponse(/\/snatch$/);
  await press(page);
  assert.equal((await (await again).json()).status, 'missed');
});

test('denied', async t => {
  const campaign = await rain(world);
  const page = await world.newPage(t, { open: false, allow: [/status of 403/] });
  await as(page, 3_000_003);
  await world.administer('PATCH', '/gate', { body: { denylist: ['3000003'] } });
  await page.goto(world.player + pathOf(campaign));
  await press(page);
  await says(page, 'error.denied');
  await world.administer('PATCH', '/gate', { body: { denylist: [] } });
  await page.locator('.refusal .quiet').click();
  await press(page);
  await page.locator('.win-open').waitFor();
});

test('read-only: it says so, waits, and wins with the same key once it is over', async t => {
  const campaign = await rain(world);
  const page = await world.newPage(t, { path: pathOf(campaign), allow: [/status of 503/] });
  const keys = new Set();
  page.on('request', request => { if (/\/snatch$/.test(request.url())) keys.add(request.headers()['idempotency-key']); });
  await page.locator('.rain-field').waitFor();
  await world.administer('PATCH', '/gate', { body: { read_only: true } });
  await press(page);
  await says(page, 'asking.read_only');
  await world.administer('PATCH', '/gate', { body: { read_only: false } });
  await page.locator('.win-open').waitFor();
  assert.equal(keys.size, 1);
});

test('too fast: it is taken lightly', async t => {
  const campaign = await rain(world);
  const page = await world.newPage(t, { path: pathOf(campaign), allow: [/status of 429/] });
  await page.locator('.rain-field').waitFor();
  await page.waitForFunction(() => document.querySelector('.purse .amount'));
  await world.administer('PATCH', '/gate', { body: { player: { rate: .01, burst: 1 } } });
  await world.play(await uidOf(page), 'GET', '/v1/wallet'); // the one that is allowed
  await press(page);
  await says(page, 'error.too_fast');
  await world.administer('PATCH', '/gate', { body: { player: null } });
  await press(page);
  await page.locator('.win-open').waitFor();
});

for (const [error, answer] of Object.entries({
  ticket_required: { status: 'not_open' }, // so that the page comes without one
  ticket_invalid: { ticket: 'AAAA', expires_at: '2099-01-01T00:00:00Z', pow: { salt: '', bits: 0 } },
})) {
  test(`${error}: the server's refusal is said once other tickets don't help`, async t => {
    const campaign = await rain(world, { ticket: true });
    const page = await world.newPage(t, { open: false, allow: [/status of 403/] });
    await page.route(/\/ticket$/, route => route.fulfill({ json: answer }));
    await page.goto(world.player + pathOf(campaign));
    await press(page);
    await says(page, 'error.' + error);
    await page.unroute(/\/ticket$/);
    await press(page);
    await page.locator('.win-open').waitFor();
  });
}

test('not open yet: a page whose clock is ahead is told, and plays when it is time', async t => {
  const campaign = await rain(world, { opens_at: '+10m', lasts: '20m' });
  const page = await world.newPage(t, { open: false });
  await page.route(/\/v1\/campaigns$/, async route => {
    const answer = await (await route.fetch()).json();
    for (const c of answer.campaigns) if (c.id === campaign.id) c.server_time = c.opens_at;
    answer.campaigns.sort((a, b) => (b.id === campaign.id) - (a.id === campaign.id));
    await route.fulfill({ json: answer });
  });
  await page.goto(world.player + pathOf(campaign));
  await press(page);
  await says(page, 'status.not_open');
});

test('every error of the server has its words, and where it may have won, the truth is learnt', async t => {
  const campaign = await rain(world, { wins_max: 0 });
  const page = await world.newPage(t, { path: pathOf(campaign), allow: [/status of [45]\d\d/] });
  await page.locator('.rain-field').waitFor();
  let wins = 0;
  for (const [status, body, key, resolves] of [
    [400, { code: 'invalid_request' }, 'error.invalid_request', false], [413, { code: 'too_large' }, 'error.too_large', false],
    [503, { code: 'busy' }, 'asking.busy', true], [504, { code: 'unknown' }, 'asking.unknown', true],
    [500, { code: 'internal' }, 'asking.unknown', true], [502, 'a proxy says: <b>bad gateway</b>', 'asking.unknown', true],
    [404, { code: 'not_found' }, 'about.not_found', false],
  ]) {
    await page.route(/\/snatch$/, route => route.fulfill({ status, ...(typeof body === 'string' ? { body } : { json: body }) }));
    await press(page);
    await says(page, key);
    await page.unroute(/\/snatch$/);
    if (!resolves) continue;
    await page.locator('.win-open').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('.win').waitFor({ state: 'detached' });
    wins++;
  }
  assert.equal((await winsOf(world, await uidOf(page), wins)).envelopes.length, wins);
});

test('a bomb that is sold out before the tap says so', async t => {
  const campaign = await bomb(world, { signup: 'none', budget: { total_fen: 10, count: 1 } });
  const page = await world.newPage(t, { path: pathOf(campaign) });
  await page.locator('.boom-button').waitFor();
  await world.play(1, 'POST', `/v1/campaigns/${campaign.id}/snatch`);
  await page.locator('.boom-button').click({ timeout: 2000 }).catch(() => {}); // the event may have been faster
  await page.locator('.refusal').waitFor();
  await says(page, 'status.sold_out');
});
