// Confetti over everything, from the vendored canvas-confetti: on a canvas of ours, and not for who wants less motion.
import confetti from '../vendor/confetti.mjs';
import { calm } from './motion.mjs';

const colors = ['#ffe39a', '#f6c453', '#fff6d8', '#e2362f', '#c20f1c', '#ff8a4a'];
let throwIt = null;

function cannon() {
  if (!throwIt) {
    const canvas = document.createElement('canvas');
    canvas.className = 'party';
    canvas.setAttribute('aria-hidden', 'true');
    document.body.append(canvas);
    throwIt = confetti.create(canvas, { resize: true, useWorker: false, disableForReducedMotion: true });
  }
  return throwIt;
}

// celebrate throws confetti from a place, given in shares of the view; much: how much of it, up to 1.
export function celebrate({ x = .5, y = .55, much = 1 } = {}) {
  if (calm.value) return;
  const shoot = cannon(), origin = { x, y };
  shoot({ origin, colors, particleCount: Math.round(70 * much), spread: 80, startVelocity: 42, gravity: 1.1, ticks: 160, scalar: 1.05 });
  shoot({ origin, colors: colors.slice(0, 3), particleCount: Math.round(40 * much), spread: 120, startVelocity: 30, shapes: ['circle'], scalar: 1.3, ticks: 140, flat: false });
}

// coins rain down from above once.
export function shower() {
  if (calm.value) return;
  for (const x of [.15, .4, .65, .9]) {
    cannon()({ origin: { x, y: -.1 }, angle: 270, colors: colors.slice(0, 3), particleCount: 18, spread: 60, startVelocity: 14, shapes: ['circle'], scalar: 1.4, ticks: 220 });
  }
}
