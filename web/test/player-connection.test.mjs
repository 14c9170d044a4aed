// The player page when something gives way: the network, the server, the token.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { screenshot, start, until } from './harness.mjs';
import { app, signed, token } from './player-host.mjs';
import { as, events, pathOf, press, rain, uidOf, walletOf, winsOf } from './player-play.mjs';
import words from '../player/words.mjs';

const world = await start();

// keysOf collects the keys of a page's snatches.
function keysOf(page) {
  const keys = [];
  page.on('request', request => { if (/\/snatch$/.test(request.url())) keys.push(request.headers()['idempotency-key']); });
  return keys;
}

test('an answer that is lost on its way: unknown is said, the same key asked, one envelope won', async t => {
  const campaign = await rain(world);
  const page = await world.newPage(t, { path: pathOf(campaign), allow: [/ERR_FAILED/] });
  const keys = keysOf(page);
  let told;
  await page.route(/\/snatch$/, async route => {
    told = await (await route.fetch()).json(); // the server has decided
    await route.abort('failed');
  }, { times: 1 });
  await press(page);
  await page.locator('.win-open').waitFor();
  assert.equal(told.status, 'won');
  assert.equal(new Set(keys).size, 1);
  assert.ok(keys.length >= 2);
  const wallet = await winsOf(world, await uidOf(page), 1);
  assert.equal(wallet.envelopes[0].id, told.envelope_id);
});

test('an open snatch outlives a reload, and is resolved before anything else', async t => {
  const campaign = await rain(world);
  const page = await world.newPage(t, { path: pathOf(campaign), allow: [/ERR_FAILED/] });
  const keys = keysOf(page);
  await page.route(/\/snatch$/, route => route.abort('failed'));
  await press(page);
  await page.locator('.ribbon.waiting').waitFor();
  await page.reload();
  await page.locator('.ribbon.waiting').waitFor();
  await page.unroute(/\/snatch$/);
  await page.locator('.win-open').waitFor();
  assert.equal(new Set(keys).size, 1);
  await winsOf(world, await uidOf(page), 1);
});

test('taps while a snatch is under way burst envelopes and ask nothing', async t => {
  const campaign = await rain(world);
  const page = await world.newPage(t, { path: pathOf(campaign) });
  const keys = keysOf(page);
  let go;
  const held = new Promise(done => { go = done; });
  await page.route(/\/snatch$/, async route => {
    await held;
    await route.continue();
  });
  for (let i = 0; i < 5; i++) await press(page);
  assert.equal(keys.length, 1);
  go();
  await page.locator('.win-open').waitFor();
  await winsOf(world, await uidOf(page), 1);
});

test('the server is killed and comes back: the page waits, nothing is lost or doubled', async t => {
  const campaign = await rain(world);
  const page = await world.newPage(t, { path: pathOf(campaign), allow: [/ERR_(CONNECTION|EMPTY|INCOMPLETE|NETWORK|SOCKET)/] });
  const keys = keysOf(page);
  await press(page);
  await page.locator('.win-open').waitFor();
  await page.keyboard.press('Escape');
  await world.kill();
  await press(page);
  await page.waitForFunction(text => document.body.textContent.includes(text), words.en['banner.offline']);
  await world.serve();
  await page.locator('.win-open').waitFor();
  const uid = await uidOf(page), wallet = await winsOf(world, uid, 2);
  assert.equal(new Set(keys).size, 2);
  await page.locator('.win-open').click();
  await page.locator('.win.opened .gold').waitFor();
  const journal = await events(world, campaign, uid);
  assert.deepEqual(journal.map(e => e.kind), ['won', 'won', 'opened']);
  assert.equal((await walletOf(world, uid)).balance_fen, journal[2].amount_fen);
  assert.deepEqual(journal.slice(0, 2).map(e => String(e.envelope_id)).sort(), wallet.envelopes.map(e => e.id).sort());
});

test('events tell of a new campaign, and the list is asked where there are none', async t => {
  const page = await world.newPage(t, { open: false, allow: [/status of 404/, /EventSource/] });
  await page.route(/\/v1\/events$/, route => route.fulfill({ status: 404, json: { code: 'not_found' } }));
  await page.goto(world.player + '/');
  const other = await world.newPage(t, { beside: page });
  const title = { zh: '新活动', en: 'Just announced' };
  await rain(world, { title, opens_at: '+20m', lasts: '30m' });
  for (const p of [other, page]) {
    await p.locator('.foot nav button').first().click();
    await p.locator('.row:has-text("Just announced")').waitFor();
  }
});

test('a list that was asked for before an event does not undo what it told', async t => {
  const campaign = await rain(world, { title: { zh: '先停', en: 'Paused meanwhile' } });
  const page = await world.newPage(t, { path: pathOf(campaign) });
  await page.locator('.rain-field').waitFor();
  let asked, go;
  const isAsked = new Promise(done => { asked = done; }), held = new Promise(done => { go = done; });
  await page.route(/\/v1\/campaigns$/, async route => {
    const response = await route.fetch();
    asked();
    await held;
    await route.fulfill({ response });
  }, { times: 1 });
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await isAsked;
  await world.revise(campaign.id, { paused: true });
  await page.locator('.refusal[data-why="paused"]').waitFor();
  await rain(world, { title: { zh: '新来', en: 'Heard of meanwhile' }, opens_at: '+20m' });
  await page.locator('.foot nav button').first().click();
  await page.locator('.row:has-text("Heard of meanwhile")').waitFor();
  const read = page.waitForResponse(/\/v1\/campaigns$/);
  go();
  await (await read).finished();
  await page.evaluate(() => new Promise(done => { setTimeout(done, 300); }));
  assert.equal(await page.locator('.refusal[data-why="paused"]').count(), 1);
  assert.equal(await page.locator('.row:has-text("Heard of meanwhile")').count(), 1);
});

test('after a sleep that hid nothing the list is read anew, and the stream opened', async t => {
  const page = await world.newPage(t, { path: pathOf(await rain(world)) });
  await page.locator('.rain-field').waitFor();
  const both = Promise.all([page.waitForRequest(/\/v1\/campaigns$/), page.waitForRequest(/\/v1\/events$/)]);
  await page.evaluate(() => {
    const { now } = Date;
    Date.now = () => now() + 600_000; // as when the page's own clock stood still for ten minutes
  });
  await both;
});

test('the token ends while playing: the host is asked, and the same snatch goes on with another', async t => {
  const campaign = await rain(signed);
  const page = await signed.newPage(t, { open: false, origins: [app], allow: [/status of 401/] });
  const sent = [];
  page.on('request', request => {
    if (/\/snatch$/.test(request.url())) sent.push([request.headers()['idempotency-key'], request.headers().authorization]);
  });
  await page.goto(app);
  const give = text => page.evaluate(({ text, origin }) => {
    document.querySelector('iframe').contentWindow.postMessage({ type: 'hongbao:token', token: text }, origin);
  }, { text, origin: signed.player });
  const good = token(41, 3600), ended = token(41, -300), next = token(41, 3600);
  await page.evaluate(({ url, good }) => {
    window.heard = [];
    addEventListener('message', event => {
      window.heard.push(event.data.type);
      if (event.data.type === 'hongbao:ready') event.source.postMessage({ type: 'hongbao:token', token: good }, new URL(url).origin);
    });
    document.querySelector('iframe').src = url;
  }, { url: signed.player + pathOf(campaign), good });
  const frame = page.frameLocator('iframe');
  await frame.locator('.me').waitFor();
  await frame.locator('.rain-field').waitFor();
  await give(ended); // which the page can't know before it is refused
  await until('the page has taken it', () => page.frames()[1].evaluate(text => sessionStorage.getItem('hongbao.token').includes(text), ended));
  await frame.locator('.rain-field').focus();
  await page.keyboard.press('Space');
  await frame.locator('.banner p').waitFor();
  assert.equal(await frame.locator('.banner p').textContent(), words.en['banner.asking']);
  await give('not a token');
  await page.frames()[1].evaluate(other => new Promise(done => { // from the page's own window: not the host
    addEventListener('message', () => setTimeout(done, 200), { once: true });
    postMessage({ type: 'hongbao:token', token: other }, '*');
  }), token(43, 3600));
  assert.ok(await frame.locator('.banner p').isVisible());
  await give(next);
  await frame.locator('.win-open').waitFor();
  assert.deepEqual(await page.evaluate(() => [...new Set(window.heard)]), ['hongbao:ready', 'hongbao:token-needed']);
  assert.equal(new Set(sent.map(([key]) => key)).size, 1, 'one key');
  assert.equal(sent[sent.length - 1][1], `Bearer ${next}`);
  const wallet = await signed.ask('GET', `${signed.player}/v1/wallet`, { headers: { Authorization: `Bearer ${next}` } });
  assert.equal(wallet.body.envelopes.length, 1);
});

test('a window that another origin opened takes no token from there; one that the app opened does', async t => {
  for (const [origin, taken] of [[app, true], [app.replace('127.0.0.1', 'localhost'), false]]) {
    const page = await signed.newPage(t, { open: false, origins: [origin], allow: [/status of 401/] });
    await page.goto(origin);
    const looked = page.context().waitForEvent('response', answer => answer.request().method() === 'HEAD'); // who may
    const [opened] = await Promise.all([page.waitForEvent('popup'), page.evaluate(({ url, text }) => {
      addEventListener('message', event => {
        if (event.data.type === 'hongbao:ready') event.source.postMessage({ type: 'hongbao:token', token: text }, '*');
      });
      open(url);
    }, { url: signed.player + '/', text: token(45, 3600) })]);
    await looked;
    if (taken) await opened.locator('.me:has-text("45")').waitFor();
    else {
      await opened.locator('.banner p').waitFor();
      assert.equal(await opened.evaluate(() => sessionStorage.getItem('hongbao.token')), null);
    }
  }
});

test('a token comes in the address and leaves it at once', async t => {
  const campaign = await rain(signed);
  const page = await signed.newPage(t, { path: pathOf(campaign), fragment: `token=${token(42, 3600)}` });
  await page.locator('.me').waitFor();
  assert.match(await page.locator('.me').textContent(), /42/);
  assert.ok(!page.url().includes('token'));
  await press(page);
  await page.locator('.win-open').waitFor();
  await page.keyboard.press('Escape');
  await page.reload();
  await page.locator('.row, .badge').first().waitFor(); // the token is kept for the tab
});

test('without a host and with a token that has ended, the page says to sign in, and goes on with a new one', async t => {
  const campaign = await rain(signed);
  const page = await signed.newPage(t, { path: pathOf(campaign), fragment: `token=${token(44, -30)}`, language: 'zh-CN', allow: [/status of 401/] });
  await page.locator('.refusal[data-why="unauthorised"]').waitFor();
  assert.equal(await page.locator('.card-title').textContent(), words.zh['signin.title']);
  await screenshot(page, 'player-signin-phone-zh');
  await page.evaluate(good => { location.hash = 'token=' + good; }, token(44, 3600)); // as an app around a web view does
  await press(page);
  await page.locator('.win-open').waitFor();
});

test('a player is changed while a snatch is under way: its key stays with whom it was made for', async t => {
  const campaign = await rain(world);
  const page = await world.newPage(t, { open: false, allow: [/ERR_FAILED/] });
  await page.goto(world.player + pathOf(campaign));
  const sent = [];
  page.on('request', request => {
    if (/\/snatch$/.test(request.url())) sent.push([request.headers()['x-player-id'], request.headers()['idempotency-key']]);
  });
  const play = async uid => {
    await page.locator('.me button').click();
    await page.locator('#uid').fill(uid);
    await page.locator('.me-form .gold').click();
    await page.locator(`.me:has-text("${uid}")`).waitFor();
  };
  await play('7101');
  await page.route(/\/snatch$/, async route => { // the server has decided, and nobody hears of it
    await route.fetch();
    await route.abort('failed');
  });
  await press(page);
  await page.locator('.ribbon.waiting').waitFor();
  await play('7102');
  await page.locator('.ribbon.waiting').waitFor({ state: 'detached' });
  await page.unroute(/\/snatch$/);
  await press(page);
  await page.locator('.win-open').waitFor();
  await page.keyboard.press('Escape');
  await play('7101');
  await page.locator('.win-open').waitFor();
  for (const uid of ['7101', '7102']) {
    await winsOf(world, uid, 1);
    assert.equal(new Set(sent.filter(([who]) => who === uid).map(([, key]) => key)).size, 1, `one key of player ${uid}`);
  }
  assert.equal(new Set(sent.map(([, key]) => key)).size, 2);
});

test('a player for trying things out can be changed, and all tabs follow', async t => {
  const one = await world.newPage(t, { open: false });
  await one.goto(world.player);
  const two = await world.newPage(t, { beside: one });
  await one.locator('.me button').click();
  await one.locator('#uid').fill('-1');
  await one.locator('.me-form .gold').click();
  await one.locator('.wrong:has-text("9007199254740991")').waitFor();
  await one.locator('#uid').fill('9007199254740991');
  await one.locator('.me-form .gold').click();
  for (const page of [one, two]) await page.locator('.me:has-text("9007199254740991")').waitFor();
});
