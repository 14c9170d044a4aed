// The bomb: the last minute before it goes off, and the one tap after.
import { useComputed } from '../vendor/signals.mjs';
import { useEffect, useRef, useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { blast } from './blast.mjs';
import { BombPicture } from './bombpicture.mjs';
import { opensAt } from './campaign.mjs';
import { now } from './clock.mjs';
import { useSecondsTo } from './countdown.mjs';
import { Hud } from './hud.mjs';
import { say, titleOf } from './language.mjs';
import { Lot } from './lot.mjs';
import { calm } from './motion.mjs';
import { SignUp } from './signupbutton.mjs';
import { asking, outcome, snatch } from './snatch.mjs';

const minuteMs = 60000;
const justNowMs = 1500; // who comes later finds it exploded

export function BombCountdown({ campaign: c }) {
  const seconds = useSecondsTo(opensAt(c));
  const left = useComputed(() => Math.max(0, Math.min(1, Math.round((opensAt(c) - now.value) / minuteMs * 300) / 300))).value;
  const tense = seconds <= 3 ? ' tense dire' : seconds <= 10 ? ' tense' : '';
  return html`<section class=${'bomb-stage' + tense} aria-labelledby="title">
    <p class="kicker">${say('bomb.soon')}</p>
    <h1 id="title" class="title">${titleOf(c)}</h1>
    <div class="bomb-place" role="timer" aria-label=${`${say('count.starts')} ${seconds} ${say('time.second')}`}>
      <${BombPicture} left=${left} burning=${true}><span class="bomb-figure" key=${tense ? seconds : 'steady'} aria-hidden="true">${seconds}</span><//>
    </div>
    <p class="hint">${tense ? say('count.ready') : say('bomb.once')}</p>
    <${SignUp} campaign=${c}/>
    <div class="alarm" aria-hidden="true"></div>
  </section>`;
}

export function BombOpen({ campaign: c }) {
  const canvas = useRef(null), button = useRef(null);
  const [bursting, burst] = useState(() => !calm.value && now.peek() - opensAt(c) < justNowMs);
  const busy = Boolean(asking.value), last = outcome.value;
  const mine = last && last.campaign === c.id && last.status === 'missed';
  useEffect(() => bursting ? blast(canvas.current, () => burst(false)) : undefined, []);
  useEffect(() => { button.current.focus({ preventScroll: true }); }, []);
  return html`<section class=${'boom' + (bursting ? ' bursting' : '')} aria-label=${say('kind.bomb')}>
    <${Hud} campaign=${c}/>
    <p class="boom-title">${say('bomb.boom')}</p>
    <div class="boom-place">
      <div class="rays" aria-hidden="true"></div>
      <button class="boom-button" ref=${button} aria-label=${say('bomb.label')} aria-disabled=${busy} onClick=${() => { if (!asking.value) snatch(c.id); }}>
        <span class=${busy ? 'turning' : ''}>${say('bomb.snatch')}</span>
      </button>
    </div>
    <p class="hint" role="status">${busy ? say('asking.sent') : mine ? say('about.missed') : say('bomb.once')}</p>
    <canvas class="blast" ref=${canvas} aria-hidden="true"></canvas>
    <${Lot}/>
  </section>`;
}
