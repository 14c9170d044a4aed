// The player page as people play on it: rains, bombs, and what they look like.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axe, screenshot, start } from './harness.mjs';
import { as, bomb, counted, events, openWin, pathOf, press, rain, reopen, tap, uidOf, walletOf, winsOf } from './player-play.mjs';

const world = await start({ config: 'gate: {player: {rate: 0}, ticket: {pow_bits: 8}}\n' });

const yuan = fen => `¥${Math.floor(fen / 100)}.${String(fen % 100).padStart(2, '0')}`;

// Pictures are taken at one pixel a pixel, unless HONGBAO_FINE=1 asks for what a phone shows: they cost a browser that has no graphics
// card most of a test's time.
const coarse = process.env.HONGBAO_FINE === '1' ? {} : { deviceScaleFactor: 1 };

// shot takes a picture in both languages.
async function shot(page, device, name) {
  await page.waitForFunction(() => document.getAnimations().every(a => a.effect.getComputedTiming().endTime > 900 || a.playState === 'finished'));
  for (let i = 0; i < 2; i++) {
    const language = await page.evaluate(() => document.documentElement.lang.slice(0, 2));
    await screenshot(page, `player-${name}-${device}-${language}`);
    await page.locator('.language').evaluate(button => button.click());
  }
}

for (const [device, language] of [['phone', 'zh-CN'], ['desktop', 'en']]) {
  test(`a rain is played from countdown to wallet: ${device}`, async t => {
    const campaign = await rain(world, { opens_at: '+45s', wins_max: 3 });
    const page = await world.newPage(t, { device, language, path: pathOf(campaign), allow: [/ERR_INTERNET_DISCONNECTED/], context: coarse });
    await page.locator('.countdown').waitFor();
    if (device === 'phone') await axe(page);
    await shot(page, device, 'countdown');
    await reopen(world, campaign, 1); // of which an event tells; the rest is the clock's
    await page.locator('.rain').waitFor();
    await page.waitForFunction(() => [...document.querySelectorAll('.go')].every(go => go.getAnimations().every(a => a.playState === 'finished')));
    await shot(page, device, 'rain');
    await tap(page);
    await page.locator('.win-open').waitFor();
    if (device === 'phone') await axe(page);
    await shot(page, device, 'win');
    const fen = await openWin(page);
    await counted(page, '.win-amount');
    await page.locator('.win .gold').waitFor();
    assert.equal(await page.locator('.win-amount').textContent(), yuan(fen));
    if (device === 'phone') await axe(page);
    await shot(page, device, 'opened');
    await page.keyboard.press('Escape');

    await press(page);
    await page.locator('.win-open').waitFor();
    await page.keyboard.press('Escape'); // it stays in the wallet, to be opened later
    await page.locator('.purse').click();
    await page.locator('.row.held').waitFor();
    await page.locator('.row.opened').waitFor();
    await counted(page, '.balance-amount');
    if (device === 'phone') await axe(page);
    await shot(page, device, 'wallet');
    assert.equal(await page.locator('.balance-amount').textContent(), yuan(fen));
    assert.equal(await page.locator('.row.opened .row-amount').textContent(), `+${yuan(fen)}`);
    const uid = await uidOf(page), wallet = await winsOf(world, uid, 2);
    assert.equal(wallet.balance_fen, fen);
    const journal = await events(world, campaign, uid);
    assert.deepEqual(journal.filter(e => e.kind === 'opened').map(e => e.amount_fen), [fen]);
    assert.deepEqual(journal.filter(e => e.kind === 'won').map(e => String(e.envelope_id)).sort(), wallet.envelopes.map(e => e.id).sort());
    await page.keyboard.press('Escape');

    await page.context().setOffline(true);
    await page.locator('.banner p').waitFor();
    await press(page);
    await page.locator('.ribbon.waiting').waitFor();
    await shot(page, device, 'offline');
    await page.context().setOffline(false);
    await page.locator('.win-open').waitFor();
    assert.equal((await winsOf(world, uid, 3)).envelopes.length, 3);
    await page.keyboard.press('Escape');
    await page.locator('.refusal[data-why="limit_reached"]').waitFor();
    if (device === 'phone') await axe(page);
    await shot(page, device, 'refusal');
    await world.cancel(campaign.id);
  });

  test(`a bomb is played from sign-up to history: ${device}`, async t => {
    const campaign = await bomb(world, { opens_at: '+40s' });
    const page = await world.newPage(t, { device, language, path: pathOf(campaign), context: coarse });
    await page.locator('.bomb-stage').waitFor();
    await page.locator('.signup .gold').click();
    await page.locator('.signed-up').waitFor();
    if (device === 'desktop') await axe(page);
    await shot(page, device, 'bomb-countdown');
    await reopen(world, campaign, 3);
    await page.locator('.tense').waitFor();
    await screenshot(page, `player-bomb-tense-${device}-${language.slice(0, 2)}`);
    await page.locator('.boom.bursting').waitFor();
    await page.waitForTimeout(200); // of its two seconds, there is time for one picture
    await screenshot(page, `player-bomb-explosion-${device}-${language.slice(0, 2)}`);
    await page.locator('.boom:not(.bursting)').waitFor();
    if (device === 'desktop') await axe(page);
    await shot(page, device, 'bomb-open');
    await page.locator('.boom-button').click();
    await page.locator('.win.opened').waitFor(); // a bomb reveals at once
    await counted(page, '.win-amount');
    const fen = Number(await page.locator('.win-amount').getAttribute('data-fen'));
    const uid = await uidOf(page);
    assert.equal((await winsOf(world, uid, 1)).envelopes[0].amount_fen, fen);
    assert.equal((await walletOf(world, uid)).balance_fen, 0);
    await page.locator('.win .gold').click();
    await page.waitForFunction(() => /[1-9]/.test(document.querySelector('.win-note').textContent));
    assert.equal((await walletOf(world, uid)).balance_fen, fen);
    await shot(page, device, 'bomb-result');
    await page.locator('.win .gold').click();
    await page.locator('.refusal[data-why="limit_reached"]').waitFor();
    await page.locator('.card-actions .gold').click();
    assert.equal(await page.locator('.row.opened .row-amount').textContent(), `+${yuan(fen)}`);
    await shot(page, device, 'bomb-history');
    await world.cancel(campaign.id);
  });
}

test('the keyboard alone is enough: snatch, open, wallet, language', async t => {
  const campaign = await rain(world);
  const page = await world.newPage(t, { device: 'desktop', path: pathOf(campaign) });
  const reach = async selector => {
    for (let i = 0; i < 20; i++) {
      if (await page.evaluate(selector => document.activeElement.matches(selector), selector)) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`Tab does not reach ${selector}`);
  };
  await page.locator('.rain-field').waitFor();
  await reach('.rain-field');
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none', 'the focus is seen');
  await page.keyboard.press('Space');
  await page.locator('.win').waitFor();
  await reach('.win-open');
  await page.waitForTimeout(450); // keys that come at once are not meant
  await page.keyboard.press('Enter');
  await page.locator('.win.opened .gold').waitFor();
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => document.activeElement.matches('.rain-field')); // the focus goes back
  await reach('.purse');
  await page.keyboard.press('Enter');
  await page.locator('.sheet').waitFor();
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press('Tab');
    assert.ok(await page.evaluate(() => document.querySelector('.sheet').contains(document.activeElement)), 'the focus stays in the sheet');
  }
  await page.keyboard.press('Escape');
  await page.locator('.sheet').waitFor({ state: 'detached' });
  await reach('.language');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'zh-CN');
  await world.cancel(campaign.id);
});

test('who wants less motion gets one packet that stays, and plays as well', async t => {
  const campaign = await rain(world);
  const page = await world.newPage(t, { path: pathOf(campaign), reducedMotion: true, language: 'zh-CN' });
  await page.locator('.calm-packet').waitFor();
  assert.equal(await page.locator('canvas').count(), 0);
  const moving = await page.evaluate(() => document.getAnimations().filter(a => a.playState === 'running' && a.effect.getTiming().duration > 50).length);
  assert.equal(moving, 0);
  await axe(page);
  await screenshot(page, 'player-calm-phone-zh');
  await page.locator('.calm-packet').click();
  await page.locator('.win-open').waitFor();
  await openWin(page);
  assert.equal(await page.locator('canvas').count(), 0, 'no confetti');
  await world.cancel(campaign.id);
});

// Time is that of the page's thread, so that what else the machine does is not counted. The page's own figures, of the clock on the
// wall, are told beside it.
test('a frame costs the scripts at most 4 ms while 40 envelopes fall', async t => {
  const campaign = await rain(world);
  const page = await world.newPage(t, { device: 'desktop', path: pathOf(campaign, '&envelopes=40') });
  await page.locator('.rain-field').waitFor();
  const browser = page.context().browser(), frames = 60;
  await browser.startTracing(page, { categories: ['devtools.timeline'] });
  const before = await page.evaluate(() => window.hongbao.frames().count);
  await page.waitForFunction(count => window.hongbao.frames().count > count, before + frames);
  const own = await page.evaluate(() => window.hongbao.frames());
  const { traceEvents } = JSON.parse(await browser.stopTracing());
  const times = traceEvents.filter(e => e.name === 'FireAnimationFrame' && e.tdur !== undefined).map(e => e.tdur / 1000).sort((a, b) => a - b);
  const p95 = times[Math.floor(times.length * .95)];
  t.diagnostic(`p95 ${p95} ms of ${times.length} frames' processor time; by the page: ${JSON.stringify(own)}`);
  assert.equal(own.falling, 40);
  assert.ok(times.length >= frames, `${times.length} frames were traced`);
  assert.ok(p95 <= 4, `p95 is ${p95} ms`);
  await world.cancel(campaign.id);
});

test('two tabs of a player agree, and never win more than the limit', async t => {
  const campaign = await rain(world, { wins_max: 2 });
  const one = await world.newPage(t, { device: 'desktop', open: false });
  await as(one, 2_000_001);
  const two = await world.newPage(t, { beside: one, open: false });
  for (const page of [one, two]) await page.goto(world.player + pathOf(campaign));
  for (const page of [one, two]) await page.locator('.rain-field').waitFor();
  for (let round = 0; round < 3; round++) {
    await Promise.all([one, two].map(async page => {
      if (!await page.locator('.rain-field').count()) return;
      await press(page);
      await page.locator('.win, .refusal').first().waitFor();
      if (await page.locator('.win').count()) await page.keyboard.press('Escape');
    }));
  }
  for (const page of [one, two]) await page.locator('.refusal[data-why="limit_reached"]').waitFor();
  assert.equal((await walletOf(world, 2_000_001)).envelopes.length, 2);

  await one.locator('.purse').click();
  await one.locator('.row.held .gold').first().click();
  await one.locator('.row.opened').waitFor();
  const fen = (await walletOf(world, 2_000_001)).balance_fen;
  await two.waitForFunction(fen => document.querySelector('.purse .amount').dataset.fen === String(fen), fen);
  await world.cancel(campaign.id);
});

test('a ticket with its work, and the lot of a fair start', async t => {
  const campaign = await rain(world, { opens_at: '+2s', ticket: true, fair_start: '1s' });
  const page = await world.newPage(t, { path: pathOf(campaign), language: 'zh-CN' });
  const fetched = page.waitForResponse(/\/ticket$/);
  await page.locator('.countdown').waitFor();
  await fetched;
  await page.locator('.rain-field').waitFor();
  const asked = page.waitForRequest(/\/snatch$/);
  await press(page);
  await page.locator('.lot').waitFor();
  await screenshot(page, 'player-lot-phone-zh');
  assert.match((await asked).headers()['hongbao-ticket'], /\.\d+$/, 'with the nonce of its work');
  await page.locator('.win').waitFor();
  await world.cancel(campaign.id);
});

test('what is over can be verified: the seed is shown and matches the fingerprint', async t => {
  const campaign = await rain(world);
  const page = await world.newPage(t, { path: pathOf(campaign), context: { permissions: ['clipboard-read', 'clipboard-write'] } });
  await page.locator('.foot nav button').nth(2).click();
  await page.locator('.figure .later').waitFor();
  await page.keyboard.press('Escape');
  await press(page);
  await page.locator('.win-open').waitFor();
  await page.keyboard.press('Escape');
  await world.cancel(campaign.id);
  await page.locator('.refusal[data-why="cancelled"]').waitFor(); // it is told while it plays
  await page.locator('.foot nav button').nth(2).click();
  await page.locator('.verdict.good').waitFor();
  await axe(page);
  await screenshot(page, 'player-fair-phone-en');
  await page.keyboard.press('Escape');
  await page.locator('.purse').click();
  await page.locator('.receipt').click();
  await page.locator('.receipt:has-text("✓")').waitFor();
  const receipt = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  assert.match(receipt.receipt, /^[\w-]{43}$/);
  assert.equal(receipt.envelope_id, (await walletOf(world, await uidOf(page))).envelopes[0].id);
});

test('a long wallet is read page by page', async t => {
  const campaign = await rain(world, { wins_max: 0 });
  for (let i = 0; i < 60; i++) await world.play(2_000_002, 'POST', `/v1/campaigns/${campaign.id}/snatch`);
  const page = await world.newPage(t, { open: false });
  await as(page, 2_000_002);
  await page.goto(world.player + pathOf(campaign));
  await page.locator('.purse').click();
  await page.locator('.row.held').nth(49).waitFor();
  assert.equal(await page.locator('.row.held').count(), 50);
  await page.locator('.card-actions .quiet').click();
  await page.locator('.row.held').nth(59).waitFor();
  assert.equal(await page.locator('.row.held').count(), 60);
  await world.cancel(campaign.id);
});

test('it fits the smallest phone, and a phone that lies', async t => {
  const campaign = await bomb(world, { opens_at: '+30m' });
  const page = await world.newPage(t, { path: pathOf(campaign), context: { viewport: { width: 320, height: 568 } } });
  for (const [name, width, height] of [['small', 320, 568], ['landscape', 667, 375]]) {
    await page.setViewportSize({ width, height });
    await page.locator('.flaps').waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${name}: ${wide} px wide`);
    for (const selector of ['.purse', '.signup .gold', '.foot nav']) {
      const seen = await page.locator(selector).evaluate(e => { // nothing lies over it, and it is not cut off
        const { left, right, top, bottom } = e.getBoundingClientRect();
        return [top + 4, bottom - 4].every(y => e.contains(document.elementFromPoint((left + right) / 2, y)));
      });
      assert.ok(seen, `${name}: ${selector}`);
    }
    await screenshot(page, `player-${name}-en`);
  }
  await world.cancel(campaign.id);
});
