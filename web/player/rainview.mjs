// A rain that falls: the canvas, the taps on it, and what comes of them.
import { useEffect, useLayoutEffect, useRef, useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { opensAt } from './campaign.mjs';
import { now } from './clock.mjs';
import { covered } from './cover.mjs';
import { Hud } from './hud.mjs';
import { say } from './language.mjs';
import { Lot } from './lot.mjs';
import { Rain } from './rain.mjs';
import { asking, snatch } from './snatch.mjs';

const fixed = Number(new URLSearchParams(location.search).get('envelopes')) || 0; // how many fall, for measuring

export function RainView({ campaign: c }) {
  const canvas = useRef(null), rain = useRef(null);
  const [early] = useState(() => now.peek() - opensAt(c) < 1500);
  useLayoutEffect(() => { // before it can be tapped
    rain.current = new Rain(canvas.current, { count: fixed });
    return () => rain.current.stop();
  }, []);
  useEffect(() => rain.current.pause(covered.value), [covered.value]);

  // One is asked for at a time; what is tapped meanwhile bursts all the same.
  const take = async envelope => {
    if (!envelope) return;
    if (asking.value) {
      rain.current.pop(envelope);
      return;
    }
    rain.current.hold(envelope);
    const result = await snatch(c.id);
    if (!rain.current || !result && asking.value) return; // what is held is another player's
    const how = result ? result.status || result.error : '';
    rain.current.release(how, how === 'missed' || how === 'won' ? say('status.' + how) : '');
  };
  const tapped = event => {
    if (event.button > 0 || !event.isPrimary) return;
    const box = canvas.current.getBoundingClientRect();
    take(rain.current.at(event.clientX - box.left, event.clientY - box.top));
  };
  const pressed = event => {
    if (event.detail === 0) take(rain.current.nearest()); // by key, or by a screen reader
  };
  return html`<section class="rain" aria-label=${say('kind.rain')}>
    <button class="rain-field" aria-label=${say('rain.label')} onPointerDown=${tapped} onClick=${pressed}><canvas ref=${canvas} aria-hidden="true"></canvas></button>
    <${Hud} campaign=${c}/>
    ${early && html`<p class="go" aria-hidden="true">${say('rain.go')}</p>`}
    <${Lot}/>
  </section>`;
}
