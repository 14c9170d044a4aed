// The player page does not wear the server out, and does without what a browser refuses it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start } from './harness.mjs';
import { app, signed, token } from './player-host.mjs';
import { pathOf, press, rain } from './player-play.mjs';

const world = await start();

const pause = ms => new Promise(done => { setTimeout(done, ms); });

test('a host that gives the refused token again and again is not listened to, until the player asks', async t => {
  const campaign = await rain(signed);
  const page = await signed.newPage(t, { open: false, origins: [app], allow: [/status of 401/] });
  let refused = 0;
  page.on('response', response => { if (response.status() === 401) refused++; });
  await page.goto(app);
  await page.evaluate(({ url, ended }) => {
    window.token = ended;
    addEventListener('message', ({ source }) => source.postMessage({ type: 'hongbao:token', token: window.token }, new URL(url).origin));
    document.querySelector('iframe').src = url;
  }, { url: signed.player + pathOf(campaign), ended: token(51, -300) });
  const frame = page.frameLocator('iframe');
  await frame.locator('.refusal[data-why="unauthorised"]').waitFor();
  assert.ok(refused <= 4, `${refused} requests with a token that is refused`);
  await page.evaluate(good => { window.token = good; }, token(51, 3600));
  await frame.locator('.refusal .gold').click();
  await frame.locator('.rain-field').waitFor();
});

test('who looks often while offline asks once when back', async t => {
  const page = await world.newPage(t, { path: pathOf(await rain(world)), allow: [/ERR_INTERNET_DISCONNECTED/] });
  await page.locator('.rain-field').waitFor();
  await page.context().setOffline(true);
  let asked = 0;
  page.on('request', request => { if (/\/v1\/wallet/.test(request.url())) asked++; });
  for (let i = 0; i < 20; i++) await page.evaluate(() => dispatchEvent(new Event('focus')));
  await pause(1000);
  asked = 0;
  await page.context().setOffline(false);
  await pause(1500);
  assert.ok(asked >= 1 && asked <= 3, `the wallet is asked for ${asked} times`);
});

test('a ticket is renewed by one request, however long that takes', async t => {
  const page = await world.newPage(t, { open: false });
  let underWay = 0, most = 0, fetched = 0;
  await page.route(/\/ticket$/, async route => {
    fetched++;
    most = Math.max(most, ++underWay);
    const answer = await (await route.fetch()).json();
    if (fetched > 1) await pause(2500);
    underWay--;
    answer.expires_at = new Date(Date.now() + 5000).toISOString(); // so that it is time for another soon
    await route.fulfill({ json: answer });
  });
  await page.goto(world.player + pathOf(await rain(world, { ticket: true })));
  await page.locator('.rain-field').waitFor();
  await pause(6500);
  assert.ok(fetched > 1);
  assert.equal(most, 1);
});

test('where the browser lets the page keep nothing, it plays all the same', async t => {
  const page = await world.newPage(t, { open: false });
  await page.addInitScript(() => {
    const refuse = () => { throw new DOMException('The operation is insecure.', 'SecurityError'); };
    for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, { get: refuse });
    window.BroadcastChannel = class { constructor() { refuse(); } };
  });
  await page.goto(world.player + pathOf(await rain(world)));
  await press(page);
  await page.locator('.win-open').waitFor();
});
