// What the tests of the player page do as a player does.
import { until } from './harness.mjs';

export const budget = { total_fen: 100_000, count: 1_000 };
export const rainTitle = { zh: '新春红包雨', en: 'New Year rain' };
export const bombTitle = { zh: '元宵红包炸弹', en: 'Lantern Festival bomb' };

let made = 0;

// rain and bomb make a campaign; what is given changes it.
export function rain(world, more = {}) {
  return world.createCampaign({ name: `rain-${++made}`, kind: 'rain', title: rainTitle, opens_at: '+0s', lasts: '10m', budget, ...more });
}

export function bomb(world, more = {}) {
  return world.createCampaign({ name: `bomb-${++made}`, kind: 'bomb', title: bombTitle, opens_at: '+0s', lasts: '10m', budget, ...more });
}

// reopen moves the opening of a campaign to so many seconds from now.
export function reopen(world, campaign, seconds) {
  return world.revise(campaign.id, { opens_at: new Date(Date.now() + seconds * 1000).toISOString() });
}

// pathOf shows one campaign whatever else plays, as ?campaign= does for hosts.
export const pathOf = (campaign, more = '') => `/?campaign=${campaign.id}${more}`;

// as makes a context's pages play as a player, where the page may choose.
export function as(page, uid) {
  return page.context().addInitScript(uid => localStorage.setItem('hongbao.demo', JSON.stringify(uid)), String(uid));
}

export const uidOf = page => page.evaluate(() => JSON.parse(localStorage.getItem('hongbao.demo')));

// tap taps here and there until an envelope was under the finger and something came of it.
export async function tap(page, came = '.win') {
  const { width, height } = page.viewportSize();
  const touch = await page.evaluate(() => navigator.maxTouchPoints > 0);
  await page.locator('.rain-field').waitFor();
  for (let i = 0; i < 400; i++) {
    const x = width * (.12 + .76 * ((i * .381966) % 1)), y = height * (.3 + .5 * ((i * .618034) % 1));
    if (touch) await page.touchscreen.tap(x, y);
    else await page.mouse.click(x, y);
    if (await page.locator(came).count()) return;
  }
  await page.locator(came).waitFor();
}

// press snatches by key.
export async function press(page) {
  await page.locator('.rain-field').focus();
  await page.keyboard.press('Space');
}

// openWin opens the packet that was won, and returns the amount in fen once it is in the wallet.
export async function openWin(page) {
  await page.waitForFunction(() => { // a tap that comes at once is not meant, so a person taps again
    const button = document.querySelector('.win-open');
    if (button && !document.querySelector('.win.busy')) button.click();
    return document.querySelector('.win.opened .win-amount');
  }, null, { polling: 100 });
  return Number(await page.locator('.win-amount').getAttribute('data-fen'));
}

// counted waits until an amount has counted up to what it stands for.
export function counted(page, selector) {
  return page.waitForFunction(selector => {
    const e = document.querySelector(selector);
    return e && Number(e.textContent.replace(/[^\d]/g, '')) === Number(e.dataset.fen);
  }, selector);
}

// events are the journal's of a campaign that name a player.
export async function events(world, campaign, uid) {
  const answer = await fetch(`${world.admin}/admin/v1/journal?campaign=${campaign.id}&limit=1000&format=ndjson`,
    { headers: { Authorization: `Bearer ${world.token}` } });
  const lines = (await answer.text()).trim().split('\n').map(line => JSON.parse(line));
  return lines.filter(event => String(event.uid) === String(uid) && ['won', 'opened'].includes(event.kind));
}

// walletOf asks the API for a player's wallet.
export async function walletOf(world, uid) {
  return (await world.play(uid, 'GET', '/v1/wallet?limit=200')).body;
}

// winsOf waits until the wallet has as many envelopes, and returns it.
export function winsOf(world, uid, count) {
  return until(`${count} envelopes of player ${uid}`, async () => {
    const wallet = await walletOf(world, uid);
    return wallet.envelopes.length === count && wallet;
  });
}
