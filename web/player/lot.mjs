// The draw of a fair start: whoever came at the start waits for their lot.
import { html } from '../vendor/html.mjs';
import { say } from './language.mjs';
import { asking } from './snatch.mjs';

export function Lot() {
  if (!asking.value || asking.value.state !== 'lot') return null;
  return html`<div class="lot">
    <svg viewBox="0 0 120 150" aria-hidden="true">
      <g class="lot-sticks">${[[-18, 44], [12, 58], [-6, 62], [20, 70], [-13, 78], [5, 50]].map(([turn, x]) => html`<g transform=${`rotate(${turn} ${x} 96)`}><rect x=${x - 3} y="14" width="6" height="86" rx="2" fill="#f3d089"/><rect x=${x - 3} y="14" width="6" height="20" rx="2" fill="#d3212b"/></g>`)}</g>
      <path d="M28 62h64l-6 80a6 6 0 0 1-6 5H40a6 6 0 0 1-6-5z" fill="#8e0b14"/>
      <path d="M28 62h64l-.8 10H28.800zM33 128h54l-.8 9H33.800z" fill="#f6c453"/>
      <text x="60" y="112" text-anchor="middle" fill="#ffe39a" font-size="30" font-weight="700" class="lot-word">签</text>
    </svg>
    <p class="lot-title">${say('asking.lot')}</p>
    <p class="lot-about">${say('asking.lot_about')}</p>
  </div>`;
}
