// A rain for who wants less motion: one envelope that stays where it is.
import { useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { Hud } from './hud.mjs';
import { say } from './language.mjs';
import { Lot } from './lot.mjs';
import { wordsOf } from './notice.mjs';
import { Packet } from './packet.mjs';
import { asking, snatch } from './snatch.mjs';

export function Calm({ campaign: c }) {
  const [last, tell] = useState(null), busy = Boolean(asking.value);
  const take = async () => {
    if (!busy) tell(await snatch(c.id));
  };
  return html`<section class="calm" aria-label=${say('kind.rain')}>
    <${Hud} campaign=${c}/>
    <button class="calm-packet" aria-label=${say('rain.calm')} aria-disabled=${busy} onClick=${take}><${Packet} word="抢"/></button>
    <p class="calm-word">${busy ? say('asking.sent') : last && last.status !== 'won' ? wordsOf(last) : say('rain.calm')}</p>
    <${Lot}/>
  </section>`;
}
