// What both pages have in common: how they are served, and that what others wrote runs under the policy.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axe, checkPage, start } from './harness.mjs';

const world = await start();

for (const at of ['player', 'console']) {
  test(`the ${at} page opens`, async t => {
    const page = await world.newPage(t, { at });
    assert.ok(await page.title());
    await page.locator('h1').first().waitFor();
    await axe(page);
  });

  test(`the modules of others run on the ${at} page`, async t => {
    const page = await world.newPage(t, { at });
    const shown = await page.evaluate(async () => {
      const [{ html, render }, { useState }, { signal, useComputed }, { default: uPlot }, { default: confetti }] = await Promise.all(
        ['html', 'hooks', 'signals', 'uplot', 'confetti'].map(name => import(`/vendor/${name}.mjs`)));
      const place = document.createElement('div');
      document.body.append(place);
      const count = signal(1);
      const Counter = () => {
        const [by] = useState(10);
        const twice = useComputed(() => count.value * 2);
        return html`<p style=${{ color: 'rgb(1, 2, 3)' }}>${count} ${twice} ${by}</p>`;
      };
      render(html`<${Counter}/>`, place);
      count.value = 2;
      await new Promise(resolve => { setTimeout(resolve); });
      const style = document.createElement('link');
      style.rel = 'stylesheet';
      style.href = '/vendor/uplot.css';
      await new Promise((resolve, reject) => {
        Object.assign(style, { onload: resolve, onerror: reject });
        document.head.append(style);
      });
      new uPlot({ width: 300, height: 200, series: [{}, { stroke: 'red' }] }, [[1, 2], [3, 4]], place);
      const canvas = document.createElement('canvas');
      place.append(canvas);
      await Promise.race([
        confetti.create(canvas, { resize: true })({ particleCount: 5, ticks: 5 }),
        confetti({ particleCount: 5, ticks: 5 }),
      ]);
      const text = place.querySelector('p').textContent, color = getComputedStyle(place.querySelector('p')).color;
      return { text, color, charts: place.querySelectorAll('.uplot canvas').length };
    });
    assert.deepEqual(shown, { text: '2 4 10', color: 'rgb(1, 2, 3)', charts: 1 });
  });
}

test('the policy and the watch hold: a script in the page, another server, an error', async t => {
  for (const [what, breach] of Object.entries({
    'script-src': () => { document.body.append(Object.assign(document.createElement('script'), { text: 'window.ran = true' })); },
    'connect-src': () => fetch('https://elsewhere.example/').catch(() => {}),
    'img-src': () => { new Image().src = 'https://elsewhere.example/'; },
    'style-src': () => { document.body.setAttribute('style', 'color: red'); },
    'an error of mine': () => { setTimeout(() => { throw new Error('an error of mine'); }); },
    'asks another server': () => { location = 'http://127.0.0.1:1/'; },
  })) {
    let found;
    await t.test(what, async inner => {
      const page = await world.newPage({ after: () => {} });
      inner.after(() => page.context().close());
      await page.evaluate(breach);
      for (let tries = 0; tries < 100 && !found; tries++) {
        try { checkPage(page); } catch (error) { found = error; }
        await new Promise(resolve => { setTimeout(resolve, 20); });
      }
      assert.match(found?.message ?? 'nothing', new RegExp(what));
    });
  }
});
