// The explosion, on a canvas of its own for a second and a half.
import { Particles, goldPaper } from './particle.mjs';
import { coinSprite, envelopeSprites } from './sprite.mjs';

const lasts = 1.9;

// blast begins at once and returns what stops it.
export function blast(canvas, then) {
  const g = canvas.getContext('2d'), scale = Math.min(window.devicePixelRatio || 1, 2);
  const width = canvas.clientWidth, height = canvas.clientHeight, x = width / 2, y = height * .46;
  Object.assign(canvas, { width: width * scale, height: height * scale });
  const particles = new Particles(), coin = { sprite: coinSprite(scale) };
  const packets = envelopeSprites(scale).map(sprite => ({ sprite }));
  particles.burst(x, y, 150, [...goldPaper, coin], { speed: 1150, up: 190, life: 1.6 });
  particles.burst(x, y, 42, packets, { speed: 900, up: 260, life: 1.7 });
  particles.burst(x, y, 60, [{ color: '#ff8a2e', size: 10, ratio: 1 }, { color: '#ffdf7a', size: 7, ratio: 1 }], { speed: 620, up: 80, life: .7 });

  let begin = 0, last = 0, request = requestAnimationFrame(frame);
  function frame(time) {
    begin = begin || time;
    const t = (time - begin) / 1000, dt = Math.min(.1, (time - (last || time)) / 1000);
    last = time;
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.clearRect(0, 0, canvas.width, canvas.height);
    if (t > lasts) {
      then();
      return;
    }
    fire(g, x * scale, y * scale, Math.max(width, height) * scale, t);
    particles.draw(g, dt, scale);
    request = requestAnimationFrame(frame);
  }
  return () => cancelAnimationFrame(request);
}

// fire is the ball of it and the waves that run before it.
function fire(g, x, y, size, t) {
  const ball = size * .66 * (1 - Math.exp(-(t + .05) * 7)), heat = Math.max(0, 1 - t / .9), flash = Math.max(0, 1 - t / .18);
  if (flash > 0) {
    g.fillStyle = `rgba(255, 250, 225, ${flash * .85})`;
    g.fillRect(0, 0, g.canvas.width, g.canvas.height);
  }
  if (heat > 0) {
    const glow = g.createRadialGradient(x, y, 0, x, y, ball);
    glow.addColorStop(0, `rgba(255, 252, 235, ${Math.min(1, heat * 1.5)})`);
    glow.addColorStop(.2, `rgba(255, 212, 84, ${Math.min(1, heat * 1.4)})`);
    glow.addColorStop(.48, `rgba(255, 124, 20, ${heat})`);
    glow.addColorStop(.78, `rgba(216, 30, 20, ${heat * .6})`);
    glow.addColorStop(1, 'rgba(170, 10, 20, 0)');
    g.fillStyle = glow;
    g.fillRect(0, 0, g.canvas.width, g.canvas.height);
  }
  for (const delay of [0, .1, .22]) {
    const age = (t - delay) / .8;
    if (age <= 0 || age >= 1) continue;
    g.beginPath();
    g.arc(x, y, size * .8 * Math.sqrt(age), 0, 7);
    g.strokeStyle = `rgba(255, 231, 160, ${(1 - age) * .8})`;
    g.lineWidth = 26 * (1 - age) + 1;
    g.stroke();
  }
}
