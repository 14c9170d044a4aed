// A campaign that is announced: what, when, and how long until then.
import { html } from '../vendor/html.mjs';
import { opensAt } from './campaign.mjs';
import { useSecondsTo } from './countdown.mjs';
import { BombPicture } from './bombpicture.mjs';
import { moment, say, titleOf } from './language.mjs';
import { SignUp } from './signupbutton.mjs';

export function Plaque({ campaign: c }) {
  const seconds = useSecondsTo(opensAt(c));
  return html`<section class="plaque" aria-labelledby="title">
    ${c.kind === 'bomb' && html`<${BombPicture}/>`}
    <p class="kicker">${say(c.kind === 'bomb' ? 'bomb.announced' : 'kind.rain')}</p>
    <h1 id="title" class="title">${titleOf(c)}</h1>
    <p class="when">${say('count.opens_at', { time: moment(opensAt(c)) })}</p>
    <${Flaps} seconds=${seconds}/>
    <${SignUp} campaign=${c}/>
  </section>`;
}

// Flaps shows a time as days, hours, minutes, seconds on little cards.
function Flaps({ seconds }) {
  const days = Math.floor(seconds / 86400), parts = [
    ['days', days], ['hours', Math.floor(seconds / 3600) % 24], ['minutes', Math.floor(seconds / 60) % 60], ['seconds', seconds % 60],
  ].slice(days ? 0 : 1);
  return html`<div class="flaps" role="timer">${parts.map(([unit, n]) => html`<span class="flap" key=${unit}><b>${String(n).padStart(2, '0')}</b><i>${say('count.' + unit)}</i></span>`)}</div>`;
}
