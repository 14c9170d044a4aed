// What a person sees after `make run`: a rain within ten seconds, played through to the wallet, and the console that shows it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { screenshot, start, until } from './harness.mjs';

const world = await start({ flags: ['--demo'] });

test('who opens the printed links plays a rain to the wallet, and sees it in the console', async t => {
  const { body: { campaigns: [rain] } } = await world.ask('GET', `${world.player}/v1/campaigns`);
  assert.ok(Date.parse(rain.opens_at) - Date.parse(rain.server_time) <= 10_000, `it opens at ${rain.opens_at}`);

  const player = await world.newPage(t);
  let taps = 0;
  await until('an envelope is won', async () => { // in that rain, or on a machine that is busy in the next
    await player.touchscreen.tap(50 + 290 * (++taps * .38 % 1), 250 + 420 * (taps * .62 % 1));
    return player.locator('.win-open').count();
  }, 100);
  await player.locator('.win-open').click();
  await player.locator('.win.opened .win-amount').waitFor();
  const won = Number(await player.locator('.win-amount').getAttribute('data-fen'));
  await screenshot(player, 'demo-player');

  const uid = await player.evaluate(() => JSON.parse(localStorage.getItem('hongbao.demo')));
  const { body: wallet } = await world.play(uid, 'GET', '/v1/wallet');
  assert.ok(won > 0 && wallet.balance_fen === won, `${won} fen of ${JSON.stringify(wallet)}`);
  await player.reload();
  await player.locator(`.purse .amount[data-fen="${won}"]`).waitFor();
  await player.close();

  const board = await world.newPage(t, { at: 'console', open: false });
  await board.goto(world.console);
  await board.locator('main h1').waitFor();
  await board.evaluate(id => { location.hash = `#/campaigns/${id}`; }, wallet.envelopes[0].campaign_id);
  await board.locator('.tallies .opened').getByText('1 envelope').waitFor();
  await screenshot(board, 'demo-console');
});
