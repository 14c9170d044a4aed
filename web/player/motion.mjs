// Whether the person asked for less motion; it may change while the page is open.
import { signal } from '../vendor/signals.mjs';

const wish = window.matchMedia('(prefers-reduced-motion: reduce)');

export const calm = signal(wish.matches);
wish.addEventListener('change', () => { calm.value = wish.matches; });
