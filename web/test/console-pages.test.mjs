// How the console looks, and that everybody can use it: each page in both languages, at a desk and on a phone, by day and by night.
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { axe, screenshot, start, until } from './harness.mjs';

const world = await start({ config: 'webhook:\n  private_networks: [127.0.0.0/8]\n' });

const receiver = createServer((request, response) => {
  request.resume();
  response.writeHead(503).end();
});
await new Promise((listening) => receiver.listen(0, '127.0.0.1', listening));
after(() => receiver.close());

const rain = await world.createCampaign({
  name: 'spring-rain', title: { zh: '新春红包雨', en: 'Spring rain' }, kind: 'rain', opens_at: '+0s', lasts: '20m', chance: 0.9,
  budget: { total_fen: 8888800, count: 20000, split: 'uniform', max_fen: 2000 },
});
await world.createCampaign({ name: 'lantern-bomb', title: { zh: '元宵红包炸弹', en: 'Lantern bomb' }, kind: 'bomb', opens_at: '+45s', budget: { total_fen: 200000, count: 300 } });
await world.createCampaign({ name: 'vip-night', title: { zh: '贵宾专场', en: 'VIP night' }, kind: 'bomb', signup: 'invited', opens_at: '+26h', budget: { total_fen: 6666600, count: 888 } });
const dropped = await world.createCampaign({ name: 'dropped-rain', kind: 'rain', opens_at: '+3h', lasts: '5m', budget: { total_fen: 10000, count: 100 } });
await world.cancel(dropped.id);
await world.revise(rain.id, { wins_max: 8, budget: { total_fen: 9999900 } });
await world.revise(rain.id, { pace: 'linear', chance: 1 });
await world.revise(rain.id, { pace: 'none' });
await world.administer('PUT', '/webhooks/payer', { body: { url: `http://127.0.0.1:${receiver.address().port}/payouts`, events: ['envelope.opened'] } });
await world.administer('PUT', '/webhooks/news', { body: { url: 'https://news.example.com/hongbao', disabled: true } });
await world.administer('PATCH', '/gate', { body: { global: { rate: 20000 }, denylist: ['1024', '10.9.8.0/24', '2001:db8::/48'] } });

let next = 0;

// some have a few more players win, of whom two in three open, and one is turned away.
async function some() {
  await Promise.all(Array.from({ length: 20 }, async () => {
    const uid = 1000 + (next++ % 400);
    const won = await world.play(uid, 'POST', `/v1/campaigns/${rain.id}/snatch`);
    if (won.body.envelope_id && next % 3 !== 0) await world.play(uid, 'POST', `/v1/envelopes/${won.body.envelope_id}/open`);
  }));
  await world.play(1024, 'POST', `/v1/campaigns/${rain.id}/snatch`);
}
for (let i = 0; i < 12; i++) await some();

const places = {
  campaigns: (page) => page.waitForSelector('.campaigns'),
  [`campaigns/${rain.id}`]: async (page) => {
    const points = () => page.locator('.chart').evaluate((chart) => Number(chart.dataset.points));
    await page.waitForSelector('.report .bars');
    await until('a few points of the chart', async () => (await some(), (await points()) >= 4));
  },
  'campaigns/new': async (page) => {
    await page.locator('[name="budget.total_fen"]').fill('8,888.88');
    await page.locator('[name="budget.count"]').fill('2000');
    await page.waitForSelector('.preview[aria-busy="false"] .distribution');
  },
  [`campaigns/${rain.id}/revise`]: async (page) => {
    await page.locator('[name="budget.count"]').fill('21000');
    await page.waitForSelector('.preview[aria-busy="false"] .distribution');
  },
  'players/1001': (page) => page.waitForSelector('.history'),
  journal: (page) => page.waitForSelector('.journal'),
  audit: (page) => until('an audit, of which one runs at a time', async () => {
    await page.locator('form.audit button').click();
    await page.locator('.outcome, .trouble').first().waitFor();
    return (await page.locator('.outcome').count()) > 0;
  }),
  webhooks: (page) => page.waitForSelector('.webhooks'),
  'webhooks/payer': async (page) => {
    await page.locator('.tested button').click();
    await page.waitForSelector('.result');
  },
  'webhooks?do=new': (page) => page.waitForSelector('.events'),
  gate: (page) => page.waitForSelector('.entries'),
  server: (page) => page.waitForSelector('.health'),
};

const looks = [
  { device: 'desktop', language: 'en', colorScheme: 'light', check: axe },
  { device: 'phone', language: 'zh-CN', colorScheme: 'light' },
  { device: 'phone', language: 'en', colorScheme: 'dark', check: (page) => axe(page, { runOnly: ['color-contrast', 'scrollable-region-focusable'] }) },
  { device: 'desktop', language: 'zh-CN', colorScheme: 'dark' },
];

// look walks through all places and writes down how they look.
async function look(t, { device, language, colorScheme, check }) {
  const page = await world.newPage(t, { at: 'console', open: false, device, language, context: { colorScheme } });
  await page.goto(world.admin + '/');
  await page.waitForSelector('.signin');
  const name = (place) => `console-${place.replace(/[\W]+/g, '-')}-${device}-${language.slice(0, 2)}`;
  await screenshot(page, name('signin'));
  await check?.(page);
  await page.locator('[name="token"]').fill(world.token);
  await page.locator('.signin .primary').click();
  await page.waitForSelector('.whoami');
  for (const [place, wait] of Object.entries(places)) {
    await page.evaluate((to) => { location.hash = '#/' + to; }, place);
    await wait(page);
    await screenshot(page, name(place), { fullPage: true });
    await check?.(page);
  }
}

test('every page', { concurrency: 2 }, async (t) => {
  await Promise.all(looks.map((how) => t.test(`${how.device}, ${how.language}, ${how.colorScheme}`, (t) => look(t, how))));
});
