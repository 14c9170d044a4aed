// The night over the fair: sky, moon, roofs and lanterns. It is drawn by the style sheet and says nothing.
import { html } from '../vendor/html.mjs';

const picture = name => new URL(name, import.meta.url).href;

export function Sky() {
  return html`<div class="sky" aria-hidden="true">
    <div class="stars"></div>
    <div class="moon"></div>
    ${[1, 2, 3, 4, 5, 6].map(n => html`<img class="drifting" data-n=${n} src=${picture('skylantern.svg')} alt=""/>`)}
    <div class="skyline"></div>
    ${[1, 2, 3, 4].map(n => html`<img class="lantern" data-n=${n} src=${picture('lantern.svg')} alt=""/>`)}
  </div>`;
}
