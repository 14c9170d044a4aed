// All campaigns, to choose from.
import { html } from '../vendor/html.mjs';
import { choose, current, following, opensAt, ordered, phaseOf } from './campaign.mjs';
import { now, serverNow } from './clock.mjs';
import { moment, say, titleOf } from './language.mjs';
import { Sheet } from './sheet.mjs';

const order = ['open', 'countdown', 'scheduled', 'closed', 'cancelled'];

export function List({ close }) {
  const time = now.value;
  const rows = ordered.value.map(c => ({ c, phase: phaseOf(c, time) })).sort((a, b) => order.indexOf(a.phase) - order.indexOf(b.phase)
    || (order.indexOf(a.phase) > 2 ? opensAt(b.c) - opensAt(a.c) : opensAt(a.c) - opensAt(b.c)));
  const pick = id => () => {
    choose(id);
    close();
  };
  return html`<${Sheet} name="list" title=${say('list.title')} close=${close}>
    ${!following.value && html`<p class="card-actions"><button class="quiet" onClick=${pick('')}>${say('list.auto')}</button></p>`}
    ${rows.length === 0 && html`<p class="card-about">${say('none.about')}</p>`}
    <ul class="rows">${rows.map(({ c, phase }) => html`<${Row} key=${c.id} campaign=${c} phase=${phase} pick=${pick(c.id)}/>`)}</ul>
  <//>`;
}

function Row({ campaign: c, phase, pick }) {
  const state = phase === 'open' && c.left === 0 ? 'sold_out' : phase === 'open' && c.paused ? 'paused' : phase;
  const here = current.value && current.value.id === c.id;
  return html`<li><button class="row pick" aria-current=${here ? 'true' : undefined} onClick=${pick}>
    <span class="row-kind" data-kind=${c.kind} aria-hidden="true">${c.kind === 'bomb' ? '炸' : '雨'}</span>
    <span class="row-text"><b>${titleOf(c)}</b><small>${say('kind.' + c.kind)} · ${moment(opensAt(c), serverNow())}</small></span>
    <span class="row-end"><span class="chip" data-phase=${state}>${say('phase.' + state)}</span>${state === 'open' && html`<small>${say('list.left', { n: c.left })}</small>`}</span>
  </button></li>`;
}
