// The server's time, by which everything counts down. Each answer that tells it bounds it: it was told between sending and
// receiving, so the midpoint is off by half of the round trip at most. The best of the bounds known is kept, and
// trusted a little less as it ages, because the two clocks drift apart.
import { signal } from '../vendor/signals.mjs';

const driftPerMs = 0.0002; // 200 µs a second: worse than any quartz
const tickMs = 100;

let offset = Date.now() - performance.now(); // the device's own clock, until the server has spoken
let doubt = Infinity, learnt = 0;

// serverNow is the server's time in Unix milliseconds.
export function serverNow() {
  return performance.now() + offset;
}

// observe learns from an answer that told the time; sent and received are of performance.now().
export function observe(told, sent, received) {
  const time = typeof told === 'number' ? told : Date.parse(told);
  if (!Number.isFinite(time)) return;
  const found = time - (sent + received) / 2, foundDoubt = (received - sent) / 2 + 1;
  const aged = doubt + (received - learnt) * driftPerMs;
  const contradicts = Math.abs(found - offset) > foundDoubt + aged; // one of the clocks was set, or the device slept
  if (foundDoubt > aged && !contradicts) return;
  offset = found;
  doubt = foundDoubt;
  learnt = received;
}

// distrust makes the next answer count whatever is known: a device that slept may have stopped its clock.
export function distrust() {
  doubt = Infinity;
}

// now follows serverNow in steps of a tenth of a second; what is computed from it is drawn again only when it changes.
export const now = signal(serverNow());

export function startClock() {
  setInterval(() => { now.value = serverNow(); }, tickMs);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) distrust(); });
}

// sleep waits; on waking early through the signal it is over as well.
export function sleep(ms, wake) {
  return new Promise(done => {
    const timer = setTimeout(done, ms);
    if (wake) wake.addEventListener('abort', () => { clearTimeout(timer); done(); }, { once: true });
  });
}
