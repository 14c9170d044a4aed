// The rain: envelopes that fall on one canvas, swaying and turning. A tap bursts the one under it. What a frame does is
// copy small pictures that were drawn before.
import { measured, forget } from './frame.mjs';
import { Particles, goldPaper, redPaper } from './particle.mjs';
import {
  coinSprite, envelopeHeight, envelopeSprites, envelopeWidth, glowSprite, petalSprite, streakSprite, wordSprite,
} from './sprite.mjs';

const fallingMax = 40;
const pixelsEach = 11500;  // of the page, for each envelope
const reach = 26;          // px around an envelope that still hit it: a thumb is no needle
const finestScale = 2;     // finer pixels than that cost more than they show
const floatSeconds = 1.1;

export class Rain {
  // count fixes how many fall; 0: as many as there is room for.
  constructor(canvas, { count = 0 } = {}) {
    Object.assign(this, {
      canvas, g: canvas.getContext('2d'), count, scale: 1, width: 0, height: 0, sprites: null,
      envelopes: [], petals: [], streaks: [], floats: [], particles: new Particles(), asked: null, paused: false, age: 0,
    });
    this.frame = this.frame.bind(this);
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(canvas);
    this.fit();
    forget();
    this.last = performance.now();
    this.request = requestAnimationFrame(this.frame);
  }

  // pause lets the picture stand, under what lies over it.
  pause(yes) {
    this.paused = yes;
  }

  stop() {
    cancelAnimationFrame(this.request);
    this.observer.disconnect();
  }

  // tap returns the envelope at a place, or null.
  at(x, y) {
    for (let i = this.envelopes.length - 1; i >= 0; i--) {
      const e = this.envelopes[i];
      if (e.state !== 'falls') continue;
      const dx = Math.abs(x - e.x), dy = Math.abs(y - e.y);
      if (dx < e.size * envelopeWidth / 2 + reach * .6 && dy < e.size * envelopeHeight / 2 + reach * .6) return e;
    }
    return null;
  }

  // nearest is the envelope that is nearest to the middle of the view: what a key snatches. The first one is still above it when
  // a rain begins, and is hurried.
  nearest() {
    const away = e => Math.hypot(e.x - this.width / 2, e.y - this.height * .55);
    let best = null;
    for (const e of this.envelopes) if (e.state === 'falls' && (!best || away(e) < away(best))) best = e;
    if (best) best.y = Math.min(Math.max(best.y, this.height * .25), this.height * .8);
    return best;
  }

  // hold keeps an envelope glowing where it is until release tells what came of it.
  hold(e) {
    this.release(''); // of a player who has left
    e.state = 'asked';
    e.held = 0;
    this.asked = e;
    this.particles.burst(e.x, e.y, 8, goldPaper, { speed: 180 });
  }

  // release bursts the one that was held: 'won', 'missed' or anything else; the word rises from it.
  release(how, word) {
    const e = this.asked;
    if (!e) return;
    this.asked = null;
    if (how === 'won') this.particles.burst(e.x, e.y, 46, [...goldPaper, { sprite: this.sprites.coin }], { speed: 520, up: 220, life: 1.3 });
    else this.particles.burst(e.x, e.y, 18, redPaper);
    if (word) this.float(e.x, e.y, word, how === 'won' ? '#ffe9a8' : '#fff3dc');
    this.respawn(e);
  }

  // pop bursts one for the fun of it.
  pop(e) {
    this.particles.burst(e.x, e.y, 14, redPaper, { speed: 260 });
    this.respawn(e);
  }

  float(x, y, text, color) {
    const sprite = wordSprite(text, this.scale, color), half = sprite.width / 2 + 6;
    this.floats.push({ x: Math.min(Math.max(x, half), this.width - half), y, age: 0, sprite });
  }

  fit() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const scale = Math.min(window.devicePixelRatio || 1, finestScale);
    if (!width || width === this.width && height === this.height && scale === this.scale && this.sprites) return;
    if (scale !== this.scale || !this.sprites) {
      this.sprites = {
        envelopes: envelopeSprites(scale * 1.15), glow: glowSprite(scale), coin: coinSprite(scale), petal: petalSprite(scale), streak: streakSprite(scale),
      };
    }
    Object.assign(this.canvas, { width: Math.round(width * scale), height: Math.round(height * scale) });
    this.width = width;
    this.height = height;
    this.scale = scale;
    this.fill();
  }

  fill() {
    const room = this.width * this.height / pixelsEach;
    const count = this.count || Math.round(Math.min(fallingMax, Math.max(12, room)));
    this.envelopes = Array.from({ length: count }, (_, i) => {
      const depth = i / (count - 1 || 1); // 0 far .. 1 near, in the order of drawing
      const e = { depth, size: .5 + depth * .62, state: 'falls' };
      this.respawn(e);
      e.y = (Math.random() * 1.1 - .6) * this.height; // some are there at once, so that there is something to tap; the others follow
      return e;
    });
    const few = Math.round(count * .6);
    this.petals = Array.from({ length: few }, () => this.scatter({ vy: 30 + Math.random() * 50, size: .5 + Math.random() * .8 }));
    this.streaks = Array.from({ length: few }, () => this.scatter({ vy: 620 + Math.random() * 500, size: .6 + Math.random() }));
  }

  scatter(thing) {
    return Object.assign(thing, { x: Math.random() * this.width, y: Math.random() * this.height, turn: Math.random() * 6, spin: (Math.random() - .5) * 3 });
  }

  respawn(e) {
    const edge = e.size * envelopeWidth / 2;
    Object.assign(e, {
      state: 'falls', held: 0,
      home: edge + Math.random() * Math.max(0, this.width - 2 * edge), y: -e.size * envelopeHeight - Math.random() * 160,
      vy: (120 + Math.random() * 70) * (.55 + e.depth * .75), sway: 10 + Math.random() * 26, pace: .7 + Math.random() * 1.1,
      turn: (Math.random() - .5) * .5, spin: .12 + Math.random() * .3, at: Math.random() * 6,
      sprite: this.sprites.envelopes[Math.floor(Math.random() * this.sprites.envelopes.length)],
    });
    e.x = e.home;
  }

  frame(time) {
    const start = performance.now();
    const dt = Math.min(.05, Math.max(0, (time - this.last) / 1000));
    this.last = time;
    if (!this.paused) this.paint(dt);
    this.request = requestAnimationFrame(this.frame);
    measured(performance.now() - start, this.envelopes.length);
  }

  paint(dt) {
    const g = this.g, scale = this.scale;
    this.age += dt;
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.drift(dt);
    for (const e of this.envelopes) this.envelope(e, dt);
    this.particles.draw(g, dt, scale);
    this.rise(dt);
  }

  // drift draws what falls for the look of it.
  drift(dt) {
    const { streak, petal } = this.sprites;
    for (const s of this.streaks) {
      s.y += s.vy * dt;
      if (s.y > this.height + 90) { s.y = -90; s.x = Math.random() * this.width; }
      this.put(streak, s.x, s.y, 0, s.size, s.size, .35);
    }
    for (const p of this.petals) {
      p.y += p.vy * dt;
      p.turn += p.spin * dt;
      p.x += Math.sin(p.turn) * 22 * dt;
      if (p.y > this.height + 20) { p.y = -20; p.x = Math.random() * this.width; }
      this.put(petal, p.x, p.y, p.turn, p.size, p.size * Math.cos(p.turn * 1.3), .85);
    }
  }

  envelope(e, dt) {
    if (e.state === 'asked') {
      e.held += dt;
      const beat = 1 + Math.sin(e.held * 12) * .05, grown = e.size + (1.2 - e.size) * Math.min(1, e.held * 5);
      this.put(this.sprites.glow, e.x, e.y, e.held, grown * beat, grown * beat, .9);
      this.put(e.sprite, e.x, e.y, Math.sin(e.held * 22) * .07, grown * beat, grown * beat, 1);
      return;
    }
    e.at += dt;
    e.y += e.vy * dt;
    e.x = e.home + Math.sin(e.at * e.pace) * e.sway;
    if (e.y > this.height + e.size * envelopeHeight) this.respawn(e);
    const turn = e.turn + Math.sin(e.at * e.pace + .8) * e.spin;
    this.put(e.sprite, e.x, e.y, turn, e.size * (.86 + .14 * Math.cos(e.at * 1.9)), e.size, (.72 + e.depth * .28) * Math.min(1, this.age * 2.5));
  }

  rise(dt) {
    let alive = 0;
    for (const f of this.floats) {
      f.age += dt;
      if (f.age > floatSeconds) continue;
      this.floats[alive++] = f;
      const t = f.age / floatSeconds;
      const size = t < .15 ? .6 + t * 3 : 1.05;
      this.put(f.sprite, f.x, f.y - 70 * t, 0, size, size, t > .6 ? (1 - t) / .4 : 1);
    }
    this.floats.length = alive;
  }

  put(sprite, x, y, turn, sizeX, sizeY, alpha) {
    const g = this.g, s = this.scale, cos = Math.cos(turn) * s, sin = Math.sin(turn) * s;
    g.globalAlpha = alpha;
    g.setTransform(cos * sizeX, sin * sizeX, -sin * sizeY, cos * sizeY, x * s, y * s);
    g.drawImage(sprite.canvas, -sprite.width / 2, -sprite.height / 2, sprite.width, sprite.height);
  }
}
