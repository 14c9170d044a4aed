// What falls, drawn once: each picture is a small canvas that a frame only has to copy.

// The size of an envelope at scale 1, in CSS pixels; a picture has a margin around it for its shadow.
export const envelopeWidth = 66, envelopeHeight = 88;
const margin = 10;

const papers = [
  { top: '#f8423c', bottom: '#c20f1c', flap: '#d81d25', fold: '#8d0712', line: '#ffd777' },
  { top: '#e52530', bottom: '#9c0817', flap: '#b90f1d', fold: '#6d0410', line: '#f6c453' },
  { top: '#ff6a3d', bottom: '#d02318', flap: '#e63a22', fold: '#9a120d', line: '#ffe39a' },
];

function canvasOf(width, height, scale) {
  const canvas = document.createElement('canvas');
  canvas.width = Math.ceil(width * scale);
  canvas.height = Math.ceil(height * scale);
  const g = canvas.getContext('2d');
  g.scale(scale, scale);
  return { canvas, g, width, height };
}

function rounded(g, x, y, w, h, r) {
  g.beginPath();
  g.moveTo(x + r, y);
  g.arcTo(x + w, y, x + w, y + h, r);
  g.arcTo(x + w, y + h, x, y + h, r);
  g.arcTo(x, y + h, x, y, r);
  g.arcTo(x, y, x + w, y, r);
  g.closePath();
}

function fade(g, x0, y0, x1, y1, ...stops) {
  const gradient = g.createLinearGradient(x0, y0, x1, y1);
  stops.forEach((color, i) => gradient.addColorStop(i / (stops.length - 1), color));
  return gradient;
}

// envelopeSprites are the kinds of envelopes.
export function envelopeSprites(scale) {
  return papers.map(paper => drawEnvelope(paper, scale));
}

function drawEnvelope(paper, scale) {
  const w = envelopeWidth, h = envelopeHeight;
  const { canvas, g, width, height } = canvasOf(w + 2 * margin, h + 2 * margin, scale);
  g.translate(margin, margin);
  g.shadowColor = 'rgba(20, 0, 8, .5)';
  g.shadowBlur = 7 * scale;
  g.shadowOffsetY = 3 * scale;
  rounded(g, 0, 0, w, h, 7);
  g.fillStyle = fade(g, 0, 0, w * .4, h, paper.top, paper.bottom);
  g.fill();
  g.shadowColor = 'transparent';
  g.save();
  g.clip();
  scales(g, w, h, paper.line);
  flap(g, w, h, paper);
  g.fillStyle = fade(g, 0, 0, w, h * .5, 'rgba(255,255,255,.3)', 'rgba(255,255,255,.02)', 'rgba(255,255,255,0)');
  g.fillRect(0, 0, w, h);
  g.restore();
  rounded(g, 1.2, 1.2, w - 2.4, h - 2.4, 6);
  g.strokeStyle = paper.line;
  g.globalAlpha = .55;
  g.lineWidth = 1.1;
  g.stroke();
  g.globalAlpha = 1;
  seal(g, w / 2, h * .42, 13.5);
  return { canvas, width, height };
}

// scales is the pattern of waves, 青海波, along the foot.
function scales(g, w, h, color) {
  g.strokeStyle = color;
  g.lineWidth = .8;
  g.globalAlpha = .38;
  const r = 8.25;
  for (let row = 0; row < 4; row++) {
    for (let x = (row % 2) * r - r; x <= w + r; x += 2 * r) {
      for (const q of [r, r * .6]) {
        g.beginPath();
        g.arc(x, h + 6 - row * r * .62, q, Math.PI, 0);
        g.stroke();
      }
    }
  }
  g.globalAlpha = 1;
}

function flap(g, w, h, paper) {
  g.beginPath();
  g.moveTo(0, 0);
  g.lineTo(0, h * .22);
  g.quadraticCurveTo(w / 2, h * .62, w, h * .22);
  g.lineTo(w, 0);
  g.closePath();
  g.shadowColor = paper.fold;
  g.shadowBlur = 8;
  g.shadowOffsetY = 3;
  g.fillStyle = fade(g, 0, 0, 0, h * .45, paper.top, paper.flap);
  g.fill();
  g.shadowColor = 'transparent';
  g.strokeStyle = paper.line;
  g.lineWidth = 1.3;
  g.beginPath();
  g.moveTo(0, h * .22);
  g.quadraticCurveTo(w / 2, h * .62, w, h * .22);
  g.stroke();
}

function seal(g, x, y, r) {
  const shine = g.createRadialGradient(x - r * .4, y - r * .5, r * .1, x, y, r);
  shine.addColorStop(0, '#fff6cf');
  shine.addColorStop(.5, '#ffd667');
  shine.addColorStop(1, '#d9931f');
  g.shadowColor = 'rgba(90, 0, 10, .6)';
  g.shadowBlur = 5;
  g.shadowOffsetY = 1.5;
  g.fillStyle = shine;
  g.beginPath();
  g.arc(x, y, r, 0, 7);
  g.fill();
  g.shadowColor = 'transparent';
  g.strokeStyle = 'rgba(150, 80, 0, .55)';
  g.lineWidth = 1;
  g.beginPath();
  g.arc(x, y, r - 2.4, 0, 7);
  g.stroke();
  g.fillStyle = '#a30d14';
  g.font = `bold ${r * 1.1}px "Songti SC", STSong, "Noto Serif CJK SC", "Noto Serif SC", SimSun, serif`;
  g.textAlign = 'center';
  g.textBaseline = 'alphabetic';
  g.fillText('福', x, y + r * .4);
}

// glowSprite lies behind an envelope that is being asked for.
export function glowSprite(scale, color = '255, 214, 110') {
  const size = 190;
  const { canvas, g } = canvasOf(size, size, scale);
  const glow = g.createRadialGradient(size / 2, size / 2, 0, size / 2, size / 2, size / 2);
  glow.addColorStop(0, `rgba(${color}, .95)`);
  glow.addColorStop(.35, `rgba(${color}, .4)`);
  glow.addColorStop(1, `rgba(${color}, 0)`);
  g.fillStyle = glow;
  g.fillRect(0, 0, size, size);
  return { canvas, width: size, height: size };
}

// coinSprite is a coin with a square hole.
export function coinSprite(scale) {
  const size = 22, c = size / 2;
  const { canvas, g } = canvasOf(size, size, scale);
  g.fillStyle = fade(g, 0, 0, size, size, '#fff1b8', '#f7c64e', '#b97a13');
  g.beginPath();
  g.arc(c, c, 10, 0, 7);
  g.fill();
  g.strokeStyle = '#a86a10';
  g.lineWidth = 1.2;
  g.beginPath();
  g.arc(c, c, 8, 0, 7);
  g.stroke();
  g.fillStyle = '#8a1a12';
  g.fillRect(c - 2.6, c - 2.6, 5.2, 5.2);
  return { canvas, width: size, height: size };
}

// petalSprite is a petal of plum blossom; flakes of gold fall between them.
export function petalSprite(scale) {
  const { canvas, g } = canvasOf(14, 14, scale);
  g.fillStyle = fade(g, 0, 0, 14, 14, '#ffd9dc', '#f08a9b');
  g.beginPath();
  g.moveTo(7, 1);
  g.bezierCurveTo(14, 3, 13, 12, 7, 13);
  g.bezierCurveTo(1, 12, 0, 3, 7, 1);
  g.fill();
  return { canvas, width: 14, height: 14 };
}

export function streakSprite(scale) {
  const { canvas, g } = canvasOf(2, 90, scale);
  g.fillStyle = fade(g, 0, 0, 0, 90, 'rgba(255, 220, 140, 0)', 'rgba(255, 220, 140, .5)');
  g.fillRect(0, 0, 2, 90);
  return { canvas, width: 2, height: 90 };
}

// wordSprite is a short text that rises where something happened.
export function wordSprite(text, scale, color = '#fff1c9') {
  const size = 19, font = `bold ${size}px "Songti SC", STSong, "Noto Serif CJK SC", "Noto Serif SC", Palatino, Georgia, serif`;
  const measure = document.createElement('canvas').getContext('2d');
  measure.font = font;
  const { canvas, g, width, height } = canvasOf(measure.measureText(text).width + 24, size * 2, scale);
  g.font = font;
  g.textAlign = 'center';
  g.textBaseline = 'middle';
  g.lineJoin = 'round';
  g.strokeStyle = 'rgba(60, 0, 12, .85)';
  g.lineWidth = 5;
  g.strokeText(text, width / 2, height / 2);
  g.fillStyle = color;
  g.fillText(text, width / 2, height / 2);
  return { canvas, width, height };
}
