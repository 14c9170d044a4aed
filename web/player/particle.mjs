// Sparks, scraps of paper and coins that fly apart. A fixed number of them lives; the oldest give way.
const most = 260;
const gravity = 620; // px/s²

export class Particles {
  constructor() {
    this.list = [];
  }

  // burst throws so many from a place; each looks like one of the kinds: {color, size} or {sprite}.
  burst(x, y, count, kinds, { speed = 320, up = 120, life = .9 } = {}) {
    for (let i = 0; i < count; i++) {
      const angle = Math.random() * Math.PI * 2, v = speed * (.25 + Math.random() * .75);
      if (this.list.length >= most) this.list.shift();
      this.list.push({
        x, y, vx: Math.cos(angle) * v, vy: Math.sin(angle) * v - up, turn: Math.random() * 6, spin: (Math.random() - .5) * 14,
        age: 0, life: life * (.6 + Math.random() * .6), kind: kinds[i % kinds.length], drag: .4 + Math.random() * 1.6,
      });
    }
  }

  // draw moves them on by dt seconds; scale is that of the canvas.
  draw(g, dt, scale) {
    let alive = 0;
    for (const p of this.list) {
      p.age += dt;
      if (p.age >= p.life) continue;
      this.list[alive++] = p;
      const slow = Math.max(0, 1 - p.drag * dt);
      p.vx *= slow;
      p.vy = p.vy * slow + gravity * dt;
      p.x += p.vx * dt;
      p.y += p.vy * dt;
      p.turn += p.spin * dt;
      const left = 1 - p.age / p.life;
      g.globalAlpha = left > .4 ? 1 : left / .4;
      paint(g, p, scale);
    }
    this.list.length = alive;
    g.globalAlpha = 1;
  }
}

function paint(g, { x, y, turn, kind }, scale) {
  const flip = Math.cos(turn * 1.7);
  g.setTransform(Math.cos(turn) * scale * flip, Math.sin(turn) * scale * flip, -Math.sin(turn) * scale, Math.cos(turn) * scale, x * scale, y * scale);
  if (kind.sprite) {
    const s = kind.sprite;
    g.drawImage(s.canvas, -s.width / 2, -s.height / 2, s.width, s.height);
    return;
  }
  g.fillStyle = kind.color;
  g.fillRect(-kind.size / 2, -kind.size / 2, kind.size, kind.size * kind.ratio);
}

const paper = (color, size, ratio = .6) => ({ color, size, ratio });
export const goldPaper = [paper('#ffe39a', 7), paper('#f6c453', 5, 1), paper('#fff7db', 4, 1), paper('#e2362f', 8), paper('#b40f1b', 6)];
export const redPaper = [paper('#e2362f', 8), paper('#b40f1b', 6), paper('#f6c453', 4, 1), paper('#8d0712', 7)];
