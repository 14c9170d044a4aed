// What a player keeps an eye on while envelopes fall.
import { useComputed } from '../vendor/signals.mjs';
import { html } from '../vendor/html.mjs';
import { closesAt, opensAt } from './campaign.mjs';
import { now } from './clock.mjs';
import { clockFace, say, titleOf } from './language.mjs';
import { standing } from './snatch.mjs';

const pipsMax = 8;

export function Hud({ campaign: c }) {
  const seconds = useComputed(() => Math.ceil((closesAt(c) - now.value) / 1000)).value;
  const { wins = 0, wins_max: most = c.wins_max } = standing.value[c.id] || {};
  const share = Math.max(0, Math.min(1, seconds * 1000 / (closesAt(c) - opensAt(c))));
  const mine = most > 0 ? say('rain.mine_of', { wins, max: most }) : `${say('rain.mine')} ${wins}`;
  return html`<div class="hud">
    <h1 class="hud-title">${titleOf(c)}</h1>
    <p class="hud-time" role="timer">${say('rain.time', { time: clockFace(seconds * 1000) })}</p>
    <div class="hud-bar" aria-hidden="true"><span style=${{ transform: `scaleX(${share})` }}></span></div>
    <p class="hud-mine">${most > 0 && most <= pipsMax
      ? html`<span class="pips" aria-hidden="true">${Array.from({ length: most }, (_, i) => html`<i class=${i < wins ? 'full' : ''}></i>`)}</span><span class="unseen">${mine}</span>`
      : mine}</p>
    <p class="hud-left">${say('rain.left')} <b>${c.left}%</b></p>
  </div>`;
}
