// The bomb: black lacquer with gold, and a fuse that burns down.
import { html } from '../vendor/html.mjs';

const from = [196, 92], bend = [238, 8], to = [318, 52]; // of the fuse, from the bomb to its free end

const mix = (a, b, t) => [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t];

// BombPicture shows what is left of the fuse (0..1), burning or not, with a figure on its face.
export function BombPicture({ left = 1, burning = false, children }) {
  const q = mix(from, bend, left), end = mix(q, mix(bend, to, left), left); // de Casteljau: the rest of the curve
  const fuse = `M${from}Q${q} ${end}`;
  return html`<span class=${'bomb' + (burning ? ' burning' : '')}>
    <svg viewBox="0 0 360 360" aria-hidden="true">
      <defs>
        <radialGradient id="lacquer" cx=".36" cy=".3" r=".8"><stop offset="0" stop-color="#8c2a3a"/><stop offset=".3" stop-color="#45101e"/><stop offset=".75" stop-color="#19050c"/><stop offset="1" stop-color="#3a0a14"/></radialGradient>
        <linearGradient id="bomb-gold" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="#fff0b5"/><stop offset=".45" stop-color="#f0bd4a"/><stop offset="1" stop-color="#a9690f"/></linearGradient>
        <radialGradient id="spark"><stop offset="0" stop-color="#fff"/><stop offset=".3" stop-color="#ffe58a"/><stop offset=".6" stop-color="#ff9a2e" stop-opacity=".7"/><stop offset="1" stop-color="#ff5a1e" stop-opacity="0"/></radialGradient>
      </defs>
      <ellipse cx="168" cy="344" rx="104" ry="12" fill="#000" opacity=".42"/>
      <path d=${fuse} fill="none" stroke="#5e3a16" stroke-width="11" stroke-linecap="round"/>
      <path d=${fuse} fill="none" stroke="#e9c27a" stroke-width="7" stroke-linecap="round" stroke-dasharray="7 6"/>
      <g transform="rotate(16 168 214)">
        <rect x="136" y="78" width="64" height="34" rx="7" fill="url(#bomb-gold)"/>
        <path d="M136 90h64M136 100h64" stroke="#8a5410" stroke-opacity=".5" stroke-width="2"/>
      </g>
      <circle cx="168" cy="218" r="122" fill="url(#lacquer)"/>
      <circle cx="168" cy="218" r="120" fill="none" stroke="#ff7a4a" stroke-opacity=".26" stroke-width="4"/>
      <path d="M84 146c16-30 52-48 84-46" fill="none" stroke="#fff" stroke-opacity=".34" stroke-width="9" stroke-linecap="round"/>
      <circle cx="168" cy="218" r="88" fill="#a00d18"/>
      <circle cx="168" cy="218" r="88" fill="none" stroke="url(#bomb-gold)" stroke-width="6"/>
      <circle cx="168" cy="218" r="78" fill="none" stroke="#ffd777" stroke-opacity=".5" stroke-width="1.500" stroke-dasharray="2 5"/>
      ${burning && html`<g class="spark" transform=${`translate(${end})`}>
        <g><circle r="34" fill="url(#spark)"/><path d="M0-30L4-7 22-20 8-3 30 2 8 6 18 24 2 9-6 30-5 8-26 16-9 2-28-8-7-6-16-24-2-8z" fill="#ffe9a0"/></g>
      </g>`}
    </svg>
    <span class="bomb-face">${children || html`<span class="bomb-fu">炸</span>`}</span>
  </span>`;
}
