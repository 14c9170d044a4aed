// A campaign that is over, and a night without any.
import { html } from '../vendor/html.mjs';
import { useSecondsTo } from './countdown.mjs';
import { choose, next, opensAt } from './campaign.mjs';
import { openSheet } from './cover.mjs';
import { Icon } from './icon.mjs';
import { clockFace, moment, say, titleOf } from './language.mjs';
import { Tally } from './tally.mjs';

export function End({ campaign: c }) {
  return html`<section class="card end" aria-labelledby="title">
    <span class="medallion"><${Icon} name="moon"/></span>
    <p class="kicker">${titleOf(c)}</p>
    <h1 id="title" class="card-title">${say('end.title')}</h1>
    <${Tally} campaign=${c}/>
    <p class="card-about">${say('about.closed')}</p>
    <p class="card-actions">
      <button class="gold" onClick=${() => openSheet('wallet')}>${say('wallet.title')}</button>
      <button class="quiet" onClick=${() => openSheet('fair')}>${say('fair.title')}</button>
    </p>
    <${NextUp}/>
  </section>`;
}

// NextUp leads to what comes next.
export function NextUp() {
  const c = next.value;
  return c ? html`<${NextLine} key=${c.id} campaign=${c}/>` : null;
}

function NextLine({ campaign: c }) {
  const seconds = useSecondsTo(opensAt(c));
  const when = seconds === 0 ? say('phase.open') : seconds < 3600 ? clockFace(seconds * 1000) : moment(opensAt(c));
  return html`<button class="next-up" onClick=${() => choose(c.id)}>
    <span>${say('end.next')}</span><b>${titleOf(c)}</b><i>${when}</i><${Icon} name="arrow"/>
  </button>`;
}

export function NothingYet() {
  return html`<section class="card" aria-labelledby="title">
    <span class="medallion"><${Icon} name="moon"/></span>
    <h1 id="title" class="card-title">${say('none.title')}</h1>
    <p class="card-about">${say('none.about')}</p>
  </section>`;
}
