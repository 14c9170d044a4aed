// The console against the real server: what operators do with it, and what must not happen to them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { allow, axe, screenshot, start, until } from './harness.mjs';

const alice = 'alice-token-0000001';
const bob = 'bob-token-000000001';
const eye = 'viewer-token-000001';
const world = await start({
  token: alice,
  config: `
admin:
  tokens:
    - {name: alice, role: operator, token: ${alice}}
    - {name: bob, role: operator, token: ${bob}}
    - {name: eye, role: viewer, token: ${eye}}
webhook:
  private_networks: [127.0.0.0/8]
`,
});

let serial = 0;
const unique = (name) => `${name}-${++serial}`;

// rain makes one that is open now.
const rain = (more = {}) => world.createCampaign({
  name: unique('rain'), kind: 'rain', opens_at: '+0s', lasts: '10m', budget: { total_fen: 100000, count: 1000 }, ...more,
});

// crowd has as many players win one envelope each, of whom every other opens it.
async function crowd(campaign, players, first = 1) {
  await Promise.all(Array.from({ length: players }, async (_, i) => {
    const { body } = await world.play(first + i, 'POST', `/v1/campaigns/${campaign.id}/snatch`);
    assert.equal(body.status, 'won');
    if (i % 2 === 0) await world.play(first + i, 'POST', `/v1/envelopes/${body.envelope_id}/open`);
  }));
}

// signedIn is a page of somebody with a token, at a place such as campaigns/1.
async function signedIn(t, { token = alice, place = 'campaigns', ...options } = {}) {
  const page = await world.newPage(t, { at: 'console', open: false, ...options });
  await page.addInitScript((kept) => sessionStorage.getItem('hongbao.console.token') ?? sessionStorage.setItem('hongbao.console.token', kept), token);
  await page.goto(`${world.admin}/#/${place}`);
  await page.waitForSelector('main h1');
  return page;
}

const button = (page, name) => page.getByRole('button', { name, exact: true });
const shown = (page, text) => page.getByText(text).first().waitFor();
const goTo = (page, place) => page.evaluate((to) => { location.hash = '#/' + to; }, place);

// These mind only campaigns of their own.
describe('console', { concurrency: 3 }, () => {
  test('where the browser lets the page keep nothing, one signs in and works all the same', async (t) => {
    const page = await world.newPage(t, { at: 'console', open: false, allow: [/status of 401/] });
    await page.addInitScript(() => {
      const refuse = () => { throw new DOMException('The operation is insecure.', 'SecurityError'); };
      for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, { get: refuse });
      window.BroadcastChannel = class { constructor() { refuse(); } };
    });
    await page.goto(world.admin);
    await page.locator('input[type=password]').fill(alice);
    await page.keyboard.press('Enter');
    await page.waitForSelector('main h1');
    await page.getByText('中文').first().click();
    await page.waitForSelector('html[lang="zh-CN"]');
    await button(page, '退出').click();
    await page.locator('input[type=password]').waitFor();
  });

  test('the link signs in once, and leaves no code behind; a token does it too', async (t) => {
    const page = await world.newPage(t, { at: 'console', open: false });
    await page.goto(world.console);
    await page.waitForSelector('main h1');
    assert.equal(await page.locator('.whoami b').textContent(), 'console');
    assert.doesNotMatch(page.url(), /code/);

    const again = await world.newPage(t, { at: 'console', open: false, allow: [/status of 401/] });
    await again.goto(world.console);
    await shown(again, 'The link has been used');
    assert.doesNotMatch(again.url(), /code/);
    await axe(again);
    await again.getByLabel('Token').fill('wrong-token-0000001');
    await button(again, 'Sign in').click();
    await shown(again, 'The server does not know this token.');
    await again.getByLabel('Token').fill(bob);
    await button(again, 'Sign in').click();
    await again.waitForSelector('main h1');
    assert.equal(await again.locator('.whoami b').textContent(), 'bob');
    await again.reload();
    await again.waitForSelector('.whoami');
    await button(again, 'Sign out').click();
    await again.waitForSelector('.signin');
    await again.reload();
    await again.waitForSelector('.signin');
  });

  test('a tab beside one that is signed in is signed in, and out with it', async (t) => {
    const page = await world.newPage(t, { at: 'console', open: false });
    await page.goto(world.admin);
    await page.getByLabel('Token').fill(bob);
    await button(page, 'Sign in').click();
    await page.waitForSelector('.whoami');
    const beside = await world.newPage(t, { at: 'console', beside: page });
    await beside.waitForSelector('.whoami');
    await button(page, 'Sign out').click();
    await beside.waitForSelector('.signin');
    await page.reload();
    await page.waitForSelector('.signin');
  });

  test('a campaign is made, with its amounts seen and its total repeated', async (t) => {
    const page = await signedIn(t);
    await button(page, 'New campaign').click();
    await page.getByLabel('Total, in yuan').fill('1,000');
    await page.getByLabel('Number of envelopes').fill('1000');
    await shown(page, '¥1,000.00 in 1,000 envelopes, ¥0.01 to ¥2.00');
    assert.equal(await page.locator('.distribution').getAttribute('data-sampled'), '1000');
    const name = unique('made');
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByLabel('Opens', { exact: true }).fill('2027-01-01T20:00'); // Asia/Shanghai
    await page.getByText('More rules').click();
    await page.getByLabel('Chance').fill('12.5');
    await page.waitForSelector('.preview[aria-busy="false"] .sentence');
    await button(page, 'Check and create…').click();
    const create = page.getByRole('button', { name: 'Create: give away ¥1,000.00' });
    assert.ok(await create.isDisabled());
    await axe(page);
    await page.getByLabel('I have checked: the total is ¥1,000.00').check();
    await create.click();
    await page.waitForSelector('.campaign-head');
    const made = (await world.administer('GET', '/campaigns?search=' + name)).campaigns[0];
    const { budget, opens_at, closes_at, chance } = made;
    assert.deepEqual({ opens_at, closes_at, chance, ...budget }, {
      opens_at: '2027-01-01T12:00:00Z', closes_at: '2027-01-01T12:10:00Z', chance: 0.125,
      total_fen: 100000, count: 1000, min_fen: 1, max_fen: 200, split: 'double_mean',
    });
  });

  test('a bomb is made of three answers', async (t) => {
    const page = await signedIn(t, { place: 'campaigns/new', language: 'zh-CN' });
    await page.getByLabel('红包炸弹').check();
    await page.getByLabel('总金额（元）').fill('￥８８．８０');
    await page.getByLabel('红包个数').fill('10');
    await shown(page, '¥88.80 分成 10 个红包');
    await page.waitForSelector('.preview[aria-busy="false"] .sentence');
    await button(page, '下一步：核对').click();
    await page.getByLabel(/我核对过/).check();
    await button(page, '创建并发放 ¥88.80').click();
    await page.waitForSelector('.campaign-head');
    const made = await world.campaign(/campaigns\/(\d+)/.exec(page.url())[1]);
    assert.deepEqual([made.kind, made.budget.total_fen, made.budget.split, made.signup], ['bomb', 8880, 'normal', 'open']);
  });

  test('what the server does not take is said at its field, in both languages', async (t) => {
    const page = await signedIn(t, { place: 'campaigns/new', allow: [/status of 4\d\d/] });
    const taken = await rain();
    await page.getByLabel('Total, in yuan').fill('1');
    await page.getByLabel('Number of envelopes').fill('101');
    const total = page.locator('[data-field="budget.total_fen"]');
    await total.getByText('The total does not fit').waitFor();
    await total.getByText('budget.total_fen: "100" is not allowed: must be from count (101)').waitFor();
    assert.equal(await page.getByLabel('Total, in yuan').getAttribute('aria-invalid'), 'true');
    await axe(page);
    await button(page, '中文').click();
    await total.getByText('总金额不够或太多').waitFor();
    await total.getByText('budget.total_fen: "100" is not allowed').waitFor();
    await button(page, 'English').click();
    await page.getByLabel('Total, in yuan').fill('1.234');
    await total.getByText('at most two decimal places').waitFor();
    await page.getByLabel('Total, in yuan').fill('100');
    await page.getByLabel('Name', { exact: true }).fill(taken.name);
    await page.locator('[data-field="name"]').getByText('A campaign of this name exists already.').waitFor();
    await page.getByLabel('Name', { exact: true }).fill('a b');
    await page.locator('[data-field="name"]').getByText('A name has 1 to 64').waitFor();
    assert.ok(await button(page, 'Check and create…').isDisabled());
  });

  test('a running campaign is watched live', async (t) => {
    const campaign = await rain({ title: { zh: '新春红包雨', en: 'Spring rain' } });
    const page = await signedIn(t, { place: 'campaigns/' + campaign.id });
    await shown(page, 'Nobody has won yet.');
    await crowd(campaign, 60);
    await page.locator('.tallies .taken').getByText('60 envelopes').waitFor();
    await page.locator('.tallies .opened').getByText('30 envelopes').waitFor();
    const { taken } = await world.campaign(campaign.id);
    const left = ((100000 - taken.total_fen) / 100).toFixed(2);
    await page.locator('.tallies .left').getByText(`¥${left}`, { exact: true }).waitFor();
    await page.waitForSelector('.report .bars'); // which it fetches by itself
    const ink = await until('a chart that is drawn', () => page.evaluate(() => {
      const canvas = document.querySelector('.chart canvas');
      return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((byte) => byte > 0);
    }));
    assert.ok(ink);
    await page.locator('.chart .u-legend').getByText(`¥${left}`).waitFor();
  });

  test('nothing is asked while the page is hidden', async (t) => {
    const campaign = await rain();
    const page = await world.newPage(t, { at: 'console', open: false });
    await page.addInitScript((kept) => sessionStorage.setItem('hongbao.console.token', kept), alice);
    await page.clock.install();
    let asked = 0;
    page.on('request', (request) => { asked += /\/stats$/.test(request.url()); });
    await page.goto(`${world.admin}/#/campaigns/${campaign.id}`);
    await page.waitForSelector('.tallies');
    const first = asked;
    await until('it is asked again', async () => (await page.clock.runFor(1000), asked > first));
    const turn = (hidden) => page.evaluate((now) => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => now });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
    await turn(true);
    await page.waitForLoadState('networkidle'); // what was under way ends
    await page.clock.runFor(2000);
    const before = asked;
    await page.clock.runFor(60_000);
    assert.equal(asked, before);
    await crowd(campaign, 3);
    await turn(false);
    await page.locator('.tallies .taken').getByText('3 envelopes').waitFor();
  });

  test('a campaign is revised, and its history says who did it', async (t) => {
    const campaign = await rain();
    const page = await signedIn(t, { place: `campaigns/${campaign.id}/revise` });
    await page.getByLabel('Total').fill('2000');
    await page.getByLabel('Wins of a player', { exact: true }).fill('7');
    await page.waitForSelector('.preview .distribution');
    await button(page, 'Check and save…').click();
    await page.getByLabel('I have checked: the total is ¥2,000.00').check();
    await button(page, 'Save the revision').click();
    await page.locator('.revisions').getByText('by alice').first().waitFor();
    await page.locator('.revisions .changes').getByText('¥2,000.00').waitFor();
    const now = await world.campaign(campaign.id);
    assert.deepEqual([now.budget.total_fen, now.wins_max, now.revision], [200000, 7, 2]);
  });

  test('of two operators at once the second sees what the first changed, and goes on from it', async (t) => {
    const campaign = await rain();
    const one = await signedIn(t, { place: `campaigns/${campaign.id}/revise` });
    const two = await signedIn(t, { token: bob, place: `campaigns/${campaign.id}/revise`, allow: [/status of 412/] });
    await two.getByLabel('Total').fill('1500');
    await two.getByLabel('Wins of a player', { exact: true }).fill('9');
    await two.waitForSelector('.preview .distribution');
    await one.getByLabel('Wins of a player', { exact: true }).fill('6');
    await one.getByLabel('Chance').fill('50');
    await one.waitForSelector('.preview .distribution');
    await button(one, 'Check and save…').click();
    await button(one, 'Save the revision').click();
    await one.waitForSelector('.campaign-head');

    await button(two, 'Check and save…').click();
    await two.getByLabel(/I have checked/).check();
    await button(two, 'Save the revision').click();
    const conflict = two.locator('.conflict');
    await conflict.getByText('alice made revision 2 while you were working on revision 1').waitFor();
    const rows = await conflict.locator('tbody tr').evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent.trim())));
    assert.deepEqual(rows.sort(), [
      ['Chance', '100%', '50%', 'unchanged'],
      ['Total', '¥1,000.00', 'unchanged', '¥1,500.00'],
      ['Wins of a player both', '5', '6', '9'],
    ]);
    await axe(two);
    await screenshot(two, 'console-conflict');
    await button(two, 'Apply mine on top of theirs').click();
    await two.waitForSelector('.preview .distribution');
    await button(two, 'Check and save…').click();
    await two.getByLabel(/I have checked/).check();
    await button(two, 'Save the revision').click();
    await two.waitForSelector('.campaign-head');
    const now = await world.campaign(campaign.id);
    assert.deepEqual([now.budget.total_fen, now.wins_max, now.chance, now.revision], [150000, 9, 0.5, 3]);
  });

  test('a budget below what is issued is told its least figures, which a button fills in', async (t) => {
    const campaign = await rain();
    await crowd(campaign, 20);
    const { taken } = await world.campaign(campaign.id);
    const page = await signedIn(t, { place: `campaigns/${campaign.id}/revise`, allow: [/status of 422/] });
    await page.getByLabel('Envelopes').fill('10');
    await shown(page, 'The budget is below what is issued already.');
    await button(page, 'Fill in the least').click();
    await page.waitForSelector('.preview .changes');
    assert.equal(await page.getByLabel('Envelopes').inputValue(), '20');
    assert.equal(Number(await page.getByLabel('Total').inputValue()), taken.total_fen / 100);
  });

  test('a campaign is paused, resumed, and cancelled by typing its name', async (t) => {
    const campaign = await rain();
    await crowd(campaign, 4);
    const page = await signedIn(t, { place: 'campaigns/' + campaign.id });
    await button(page, 'Pause').click();
    await page.locator('.campaign-head .phase.paused').waitFor();
    assert.equal((await world.play(99, 'POST', `/v1/campaigns/${campaign.id}/snatch`)).body.status, 'paused');
    await button(page, 'Resume').click();
    await until('it is resumed', async () => !(await world.campaign(campaign.id)).paused);
    await button(page, 'Cancel').click();
    await page.locator('dialog').getByText('The 2 that are held unopened').waitFor();
    await axe(page);
    await screenshot(page, 'console-cancel');
    const cancel = button(page, 'Cancel the campaign');
    await page.locator('dialog input').fill('another');
    assert.ok(await cancel.isDisabled());
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('dialog').count(), 0);
    await button(page, 'Cancel').click();
    await page.locator('dialog input').fill(campaign.name);
    await cancel.click();
    await page.locator('.campaign-head .phase.cancelled').waitFor();
    assert.ok((await world.campaign(campaign.id)).cancelled);
    assert.equal(await button(page, 'Pause').count(), 0);
  });

  test('the winners that are downloaded are those of the API', async (t) => {
    const campaign = await rain();
    await crowd(campaign, 12);
    const page = await signedIn(t, { place: 'campaigns/' + campaign.id });
    const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Winners (CSV)').click()]);
    assert.equal(download.suggestedFilename(), campaign.name + '-winners.csv');
    const text = readFileSync(await download.path(), 'utf8');
    assert.equal(text, await world.administer('GET', `/campaigns/${campaign.id}/winners.csv`));
    assert.equal(text.trim().split('\n').length, 13);
  });

  test('players are signed up from a list', async (t) => {
    const campaign = await world.createCampaign({ name: unique('invited'), kind: 'bomb', signup: 'invited', opens_at: '+1h', budget: { total_fen: 10000, count: 10 } });
    const page = await signedIn(t, { place: 'campaigns/' + campaign.id, allow: [/status of 400/] });
    await page.locator('textarea[name="uids"]').fill('uid\n1, 2，3 4\n4');
    await button(page, 'Sign 5 up').click();
    await shown(page, '4 signed up; 1 were already.');
    await page.locator('textarea[name="uids"]').fill('5 x');
    await button(page, 'Sign 2 up').click();
    await shown(page, 'The server does not take this value.');
    await page.locator('input[type="file"]').setInputFiles({ name: 'vip.csv', mimeType: 'text/csv', buffer: Buffer.from('uid\n7\n8\n') });
    await button(page, 'Sign 2 up').click();
    await until('they are signed up', async () => (await world.campaign(campaign.id)).signed_up === 6);
  });

  test('a player is found', async (t) => {
    const campaign = await rain();
    await crowd(campaign, 1, 7070);
    const page = await signedIn(t, { place: 'players', allow: [/status of 400/] });
    await page.getByLabel('Uid of a player').fill('7070');
    await button(page, 'Find').click();
    const { balance_fen } = (await world.play(7070, 'GET', '/v1/wallet')).body;
    await page.locator('.balance').getByText(`¥${(balance_fen / 100).toFixed(2)}`).waitFor();
    assert.equal(await page.locator('.history li').count(), 2);
    await page.getByLabel('Uid of a player').fill('somebody');
    await button(page, 'Find').click();
    await shown(page, 'The server does not take this value.');
  });

  test('the journal is paged, and the audit runs', async (t) => {
    const campaign = await rain();
    await crowd(campaign, 40);
    const page = await signedIn(t, { place: 'journal?campaign=' + campaign.id, allow: [/status of 400/] });
    await page.locator('.journal tbody tr').nth(49).waitFor();
    const last = await page.locator('.journal tbody tr').last().locator('code').textContent();
    await button(page, 'Next').click();
    await page.getByText('Page 2').waitFor();
    await until('the rest is shown', async () => (await page.locator('.journal tbody tr').count()) === 11);
    assert.notEqual(await page.locator('.journal tbody tr').first().locator('code').textContent(), last);
    await goTo(page, 'audit');
    await button(page, 'Run the audit').click();
    await shown(page, 'Everything is as it should be');
    const checks = await page.locator('.checks li b').allTextContents();
    for (const name of ['G1', 'G2', 'G3', 'G4', 'G5', 'G6', 'G7', 'G8']) assert.ok(checks.some((check) => check.includes(name)), name);
    await page.getByLabel('A head known from before').fill('nonsense');
    await button(page, 'Run the audit').click();
    await page.locator('.error, .trouble, .outcome.broken').first().waitFor();
  });

  test('a webhook is made, tested, and replayed', async (t) => {
    const got = [];
    let status = 204;
    const receiver = createServer((request, response) => {
      got.push(request.headers['webhook-id']);
      request.resume();
      response.writeHead(status).end();
    });
    await new Promise((listening) => receiver.listen(0, '127.0.0.1', listening));
    t.after(() => receiver.close());
    const page = await signedIn(t, { place: 'webhooks', allow: [/status of 4\d\d/] });
    const url = `http://127.0.0.1:${receiver.address().port}/hook`;
    await button(page, 'New webhook').click();
    await page.getByLabel('Name', { exact: true }).fill('payer');
    await page.getByLabel('URL').fill('ftp://nowhere');
    await button(page, 'Save').click();
    await page.locator('[data-field="url"]').getByText('A public http or https address').waitFor();
    await page.getByLabel('URL').fill(url);
    await page.getByLabel('envelope opened').check();
    await button(page, 'Save').click();
    assert.match(await page.locator('dialog .secret code').textContent(), /^whsec_/);
    await axe(page);
    await button(page, 'I have kept it').click();
    await button(page, 'Send a test').click();
    await shown(page, 'Accepted');
    assert.match(got[0], /^test_/);
    status = 500;
    await button(page, 'Send a test').click();
    await shown(page, 'Not accepted');
    await axe(page);
    status = 204;

    const campaign = await rain();
    await crowd(campaign, 2);
    await until('an opening arrives', () => got.find((id) => !id.startsWith('test_')));
    const opening = got.find((id) => !id.startsWith('test_'));
    await button(page, 'Replay').click();
    await page.getByLabel('From the very beginning').check();
    await page.locator('dialog').getByRole('button', { name: 'Replay' }).click();
    await shown(page, 'The replay has begun.');
    await until('it arrives again', () => got.filter((id) => id === opening).length >= 2);
    await button(page, 'Delete').click();
    await page.locator('dialog').getByRole('button', { name: 'Delete' }).click();
    await shown(page, 'There is no webhook yet.');
  });

  test('a viewer sees everything and changes nothing', async (t) => {
    const campaign = await rain();
    await crowd(campaign, 2);
    const page = await signedIn(t, { token: eye, place: 'campaigns' });
    const why = 'Your token has the role viewer: it can look, and change nothing.';
    assert.ok(await button(page, 'New campaign').isDisabled());
    assert.equal(await button(page, 'New campaign').getAttribute('title'), why);
    await goTo(page, 'campaigns/' + campaign.id);
    await page.locator('.readonly').waitFor();
    for (const name of ['Pause', 'Revise', 'Cancel']) assert.ok(await button(page, name).isDisabled(), name);
    assert.ok(await button(page, 'Winners (CSV)').isEnabled());
    await goTo(page, 'campaigns/new');
    await page.locator('.create .readonly').waitFor();
    assert.ok(await page.getByLabel('Total, in yuan').isDisabled());
    await axe(page);
    for (const [place, name] of [['gate', 'Turn read-only on'], ['audit', 'Run the audit'], ['webhooks', 'New webhook']]) {
      await goTo(page, place);
      await button(page, name).waitFor();
      assert.ok(await button(page, name).isDisabled(), name);
    }
  });

  test('campaigns are found by phase and name, page by page', async (t) => {
    const mark = unique('pages');
    for (let i = 0; i < 27; i++) await world.createCampaign({ name: `${mark}.${i}`, kind: 'bomb', opens_at: '+2h', budget: { total_fen: 1000, count: 10 } });
    const page = await signedIn(t);
    await page.getByLabel('Find by name or title').fill(mark + '.');
    await until('a full page of them', async () => (await page.locator('.campaigns tbody tr').count()) === 25
      && (await page.locator('.campaigns tbody a').allTextContents()).every((name) => name.startsWith(mark)));
    await button(page, 'Next').click();
    await until('the rest', async () => (await page.locator('.campaigns tbody tr').count()) === 2);
    await button(page, 'open').click();
    await shown(page, 'No campaign is like that.');
  });

  test('the whole of creating works from the keyboard', async (t) => {
    const page = await signedIn(t, { place: 'campaigns/new' });
    await page.getByLabel('Total, in yuan').focus();
    await page.keyboard.type('5');
    await page.keyboard.press('Tab');
    await page.keyboard.type('5');
    await page.waitForSelector('.preview[aria-busy="false"] .sentence');
    await page.keyboard.press('Enter');
    await page.locator('dialog[open]').waitFor();
    await page.keyboard.press('Tab');
    for (let i = 0; i < 5 && !(await page.evaluate(() => document.activeElement.name === 'sure')); i++) await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.campaign-head');
  });

  test('times are those of the server\'s zone, whatever the browser\'s', async (t) => {
    const page = await signedIn(t, { context: { timezoneId: 'America/New_York' } });
    const told = await page.evaluate(async () => {
      const { full, learnZone, local, utc, zone } = await import('/console/time.mjs');
      const there = [zone.value, full('2027-02-05T12:00:00Z'), utc('2027-02-05T20:00'), local('2027-02-05T12:00:00Z')];
      learnZone('America/New_York'); // where clocks change
      const summer = [utc('2026-07-01T12:00'), utc('2026-01-01T12:00'), utc('2026-03-08T02:30'), utc('2026-11-01T01:30')];
      learnZone('Asia/Shanghai');
      return [...there, ...summer];
    });
    assert.deepEqual(told, [
      'Asia/Shanghai', '2027-02-05 20:00:00', '2027-02-05T12:00:00Z', '2027-02-05T20:00:00',
      '2026-07-01T16:00:00Z', '2026-01-01T17:00:00Z', '2026-03-08T07:30:00Z', '2026-11-01T05:30:00Z',
    ]);
  });
});

test('the gate is turned down and up, beside somebody else', async (t) => {
  const page = await signedIn(t, { place: 'gate', allow: [/status of 4\d\d/] });
  const player = page.getByRole('group', { name: 'Each player' });
  await player.getByLabel('Rate').fill('5');
  await player.getByLabel('Burst').fill('9');
  await button(page, 'Save the rates').click();
  await shown(page, 'In force.');
  const settings = () => world.administer('GET', '/gate');
  assert.deepEqual((await settings()).player, { rate: 5, burst: 9 });

  await player.getByLabel('Rate').fill('6');
  await world.administer('PATCH', '/gate', { body: { global: { rate: 9000 } } });
  await button(page, 'Save the rates').click();
  const conflict = page.locator('.conflict');
  await conflict.getByText('9000 a second, burst 18000').waitFor();
  await conflict.getByText('6 a second, burst 9').waitFor();
  await axe(page);
  await conflict.getByRole('button', { name: 'Apply mine on top of theirs' }).click();
  await until('both are in force', async () => (await settings()).player.rate === 6 && (await settings()).global.rate === 9000);

  await page.getByLabel('Add', { exact: true }).fill('666, 10.0.0.0/8');
  await page.locator('.denylist').getByRole('button', { name: 'Add' }).click();
  await page.locator('.entries').getByText('10.0.0.0/8').waitFor();
  await world.administer('PATCH', '/gate', { body: { denylist: [...(await settings()).denylist, '667'] } });
  await page.getByRole('button', { name: 'Remove 10.0.0.0/8' }).click();
  await until('what the other added is kept', async () => (await settings()).denylist.join() === '666,667');
  await page.getByLabel('Add', { exact: true }).fill('not-an-address');
  await page.locator('.denylist').getByRole('button', { name: 'Add' }).click();
  await page.locator('.denylist .trouble').getByText('denylist[2]').waitFor();

  await button(page, 'Turn read-only on').click();
  await page.locator('dialog').getByRole('button', { name: 'Turn read-only on' }).click();
  await until('it is read-only', async () => (await settings()).read_only);
  await page.locator('dialog').waitFor({ state: 'detached' });
  await goTo(page, 'server');
  await shown(page, 'It plays on, but something needs looking at');
  await goTo(page, 'gate');
  await button(page, 'Turn read-only off').click();
  await page.locator('dialog').getByRole('button', { name: 'Turn read-only off' }).click();
  await until('it is not read-only', async () => !(await settings()).read_only);
  await world.administer('PATCH', '/gate', { body: { denylist: null, player: null, global: null } });
});

test('while the network swallows everything the page says how old it is, too', async (t) => {
  const campaign = await rain();
  const page = await signedIn(t, { place: 'campaigns/' + campaign.id });
  await page.waitForSelector('.tallies');
  const silent = new RegExp(`campaigns/${campaign.id}$`);
  await page.route(silent, () => {});
  await page.locator('.stale').getByText('The server can\'t be reached. What is shown is from').waitFor();
  await page.unroute(silent);
  await page.locator('.stale').waitFor({ state: 'detached' });
});

test('while the server is gone the page says how old it is, and goes on when it is back', async (t) => {
  const campaign = await rain();
  const gone = [/ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|status of 401/];
  const page = await signedIn(t, { place: 'campaigns/' + campaign.id, allow: gone });
  const linked = await world.newPage(t, { at: 'console', open: false, allow: gone });
  await world.restart(); // for a link that is new
  await linked.goto(`${world.console}`);
  await linked.waitForSelector('.campaigns');
  await page.waitForSelector('.tallies');
  await world.kill();
  await page.locator('.stale').getByText('The server can\'t be reached. What is shown is from').waitFor();
  await page.waitForSelector('.tallies'); // it is still there to read
  await axe(page);
  await screenshot(page, 'console-gone');
  await world.serve();
  await page.locator('.stale').waitFor({ state: 'detached' });
  await crowd(campaign, 2);
  await page.locator('.tallies .taken').getByText('2 envelopes').waitFor();

  // The session of the link ended with the process: its page asks for a token, and goes on where it was.
  await linked.locator('dialog .signin').waitFor();
  await axe(linked);
  await linked.getByLabel('Token').fill(bob);
  await button(linked, 'Sign in').click();
  await linked.locator('dialog').waitFor({ state: 'detached' });
  assert.equal(await linked.locator('.whoami b').textContent(), 'bob');
  await linked.waitForSelector('.campaigns');
});
