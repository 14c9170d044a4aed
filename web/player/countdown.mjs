// The last minute before a rain.
import { useComputed } from '../vendor/signals.mjs';
import { html } from '../vendor/html.mjs';
import { opensAt } from './campaign.mjs';
import { now } from './clock.mjs';
import { say, titleOf } from './language.mjs';
import { SignUp } from './signupbutton.mjs';

const circle = 2 * Math.PI * 92;

// useSecondsTo counts down to a time in whole seconds.
export function useSecondsTo(time) {
  return useComputed(() => Math.max(0, Math.ceil((time - now.value) / 1000))).value;
}

export function Countdown({ campaign: c }) {
  const seconds = useSecondsTo(opensAt(c));
  const last = seconds <= 10;
  return html`<section class=${'countdown' + (last ? ' last' : '')} aria-labelledby="title">
    <p class="kicker">${say('rain.soon')}</p>
    <h1 id="title" class="title">${titleOf(c)}</h1>
    <div class="dial" role="timer" aria-label=${`${say('count.starts')} ${seconds} ${say('time.second')}`}>
      <svg viewBox="0 0 200 200" aria-hidden="true">
        <defs><linearGradient id="dial-gold" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="#fff2bd"/><stop offset=".5" stop-color="#f6c453"/><stop offset="1" stop-color="#d98a1b"/></linearGradient></defs>
        <circle class="dial-back" cx="100" cy="100" r="92"/>
        <circle class="dial-ticks" cx="100" cy="100" r="80"/>
        <circle class="dial-hand" cx="100" cy="100" r="92" transform="rotate(-90 100 100)" style=${{ strokeDasharray: circle, strokeDashoffset: circle * (1 - seconds / 60) }}/>
      </svg>
      <span class="dial-figure" key=${last ? seconds : 'steady'} aria-hidden="true">${seconds}</span>
    </div>
    <p class="hint">${last ? say('count.ready') : say('rain.tap')}</p>
    <${SignUp} campaign=${c}/>
  </section>`;
}
