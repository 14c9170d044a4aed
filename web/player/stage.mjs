// The stage: what the campaign in it asks for now.
import { html } from '../vendor/html.mjs';
import { BombCountdown, BombOpen } from './bomb.mjs';
import { Calm } from './calm.mjs';
import { current, listed, phase } from './campaign.mjs';
import { Countdown } from './countdown.mjs';
import { End, NothingYet } from './end.mjs';
import { needed } from './identity.mjs';
import { say } from './language.mjs';
import { calm } from './motion.mjs';
import { Plaque } from './plaque.mjs';
import { RainView } from './rainview.mjs';
import { Refusal, SignIn } from './refusal.mjs';
import { asking, standing } from './snatch.mjs';

export function Stage() {
  const c = current.value;
  if (needed.value === 'missing') return html`<${SignIn}/>`;
  if (!listed.value) return html`<p class="loading">${say('app.loading')}</p>`;
  if (!c) return html`<${NothingYet}/>`;
  switch (phase.value) {
    case 'scheduled': return html`<${Plaque} key=${c.id} campaign=${c}/>`;
    case 'countdown': return c.kind === 'bomb' ? html`<${BombCountdown} key=${c.id} campaign=${c}/>` : html`<${Countdown} key=${c.id} campaign=${c}/>`;
    case 'open': return html`<${Open} key=${c.id} campaign=${c}/>`;
    case 'cancelled': return html`<${Refusal} why="cancelled" campaign=${c}/>`;
  }
  return html`<${End} key=${c.id} campaign=${c}/>`;
}

// Open plays, or says why not. What is being asked is shown to its end.
function Open({ campaign: c }) {
  const { refusal = '', wins = 0, wins_max: most = c.wins_max } = standing.value[c.id] || {};
  const busy = asking.value && asking.value.campaign === c.id;
  if (!busy) {
    const why = refusal || (most > 0 && wins >= most ? 'limit_reached' : c.paused ? 'paused' : c.left === 0 ? 'sold_out' : '');
    if (why) return html`<${Refusal} why=${why} campaign=${c}/>`;
  }
  if (c.kind === 'bomb') return html`<${BombOpen} campaign=${c}/>`;
  return calm.value ? html`<${Calm} campaign=${c}/>` : html`<${RainView} campaign=${c}/>`;
}
