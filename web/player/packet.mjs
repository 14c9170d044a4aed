// A big red packet: its back, a card in it, its front, and a flap that opens.
import { html } from '../vendor/html.mjs';

// Packet shows children on the card; open: whether the flap is up and the card out.
export function Packet({ open = false, word = '福', children }) {
  return html`<span class=${'packet' + (open ? ' open' : '')}>
    <svg class="packet-back" viewBox="0 0 300 400" preserveAspectRatio="none" aria-hidden="true"><rect width="300" height="400" rx="18" fill="#8b0a15"/>${open && html`<path d="M0 0h300v40H0z" fill="#8b0a15"/>`}<path d="M14 14h272v316H14z" fill="#6a0610"/></svg>
    <span class="packet-flap"><svg viewBox="0 0 300 240" preserveAspectRatio="none" aria-hidden="true">
      <defs><linearGradient id="flap-red" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#f4433d"/><stop offset="1" stop-color="#cf1b25"/></linearGradient></defs>
      <path d="M18 0h264a18 18 0 0 1 18 18v76Q150 274 0 94V18A18 18 0 0 1 18 0z" fill="url(#flap-red)"/>
      <path d="M0 94Q150 274 300 94" fill="none" stroke="#ffd777" stroke-width="4"/>
    </svg></span>
    <span class="packet-card">${children}</span>
    <svg class="packet-front" viewBox="0 0 300 400" preserveAspectRatio="none" aria-hidden="true">
      <defs>
        <linearGradient id="front-red" x1="0" y1="0" x2=".4" y2="1"><stop offset="0" stop-color="#e8303a"/><stop offset="1" stop-color="#ad0c1a"/></linearGradient>
        <pattern id="waves" width="44" height="22" patternUnits="userSpaceOnUse"><g fill="none" stroke="#ffd777" stroke-opacity=".34" stroke-width="1.6"><circle cx="22" cy="22" r="21"/><circle cx="22" cy="22" r="14"/><circle cx="22" cy="22" r="7"/><circle cx="0" cy="33" r="21"/><circle cx="44" cy="33" r="21"/><circle cx="0" cy="11" r="21" opacity="0"/></g></pattern>
        <linearGradient id="waves-fade" x1="0" y1="0" x2="0" y2="1"><stop offset=".55" stop-color="#fff" stop-opacity="0"/><stop offset=".9" stop-color="#fff"/></linearGradient>
        <mask id="waves-mask"><rect width="300" height="400" fill="url(#waves-fade)"/></mask>
      </defs>
      <path d="M0 94Q150 274 300 94v288a18 18 0 0 1-18 18H18a18 18 0 0 1-18-18z" fill="url(#front-red)"/>
      <path d="M0 94Q150 274 300 94v288a18 18 0 0 1-18 18H18a18 18 0 0 1-18-18z" fill="url(#waves)" mask="url(#waves-mask)"/>
      <path d="M6 100v280a14 14 0 0 0 14 14h260a14 14 0 0 0 14-14V100" fill="none" stroke="#ffd777" stroke-opacity=".7" stroke-width="2"/>
    </svg>
    <span class="packet-word" aria-hidden="true">${word}</span>
  </span>`;
}
