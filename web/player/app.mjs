// The page: sky, head, stage, foot, and what lies over them.
import { html } from '../vendor/html.mjs';
import { Amount } from './amount.mjs';
import { connected } from './api.mjs';
import { current, phase } from './campaign.mjs';
import { openSheet } from './cover.mjs';
import { Icon } from './icon.mjs';
import { needed, player } from './identity.mjs';
import { say, switchLanguage } from './language.mjs';
import { Notice } from './notice.mjs';
import { Sheets } from './sheets.mjs';
import { Sky } from './sky.mjs';
import { Stage } from './stage.mjs';
import { held, wallet } from './wallet.mjs';
import { Win } from './win.mjs';

export function App() {
  const c = current.value;
  return html`<div class="app" data-phase=${phase.value} data-kind=${c ? c.kind : ''}>
    <${Sky}/>
    <${Head}/>
    <main id="stage"><${Stage}/></main>
    <${Foot}/>
    <${Banner}/>
    <${Notice}/>
    <${Win}/>
    <${Sheets}/>
  </div>`;
}

function Head() {
  const balance = wallet.value ? wallet.value.balance_fen : 0, waiting = held.value.length;
  return html`<header class="head">
    <p class="brand"><span class="brand-seal" aria-hidden="true">红包</span><span class="brand-name">${say('app.name')}</span></p>
    <button class="language" lang=${say('language.switch') === 'English' ? 'en' : 'zh-CN'} onClick=${switchLanguage}>${say('language.switch')}</button>
    <button class="purse" onClick=${() => openSheet('wallet')}>
      <span class="purse-coin" aria-hidden="true"></span><span class="unseen">${say('wallet.title')}</span><${Amount} fen=${balance}/>
      ${waiting > 0 && html`<span class="badge" aria-hidden="true">${waiting}</span>`}
    </button>
  </header>`;
}

function Foot() {
  const { kind, uid } = player.value, c = current.value;
  return html`<footer class="foot">
    <nav>
      <button onClick=${() => openSheet('list')}><${Icon} name="list"/>${say('list.button')}</button>
      ${c && html`<button onClick=${() => openSheet('rules')}><${Icon} name="rules"/>${say('rules.button')}</button>
      <button onClick=${() => openSheet('fair')}><${Icon} name="fair"/>${say('fair.button')}</button>`}
    </nav>
    ${kind === 'demo' && !needed.value && html`<p class="me">${say('me.demo', { uid })} <button onClick=${() => openSheet('me')}>${say('me.change')}</button></p>`}
    ${kind === 'token' && uid && html`<p class="me">${say('me.token', { uid })}</p>`}
  </footer>`;
}

function Banner() {
  const text = !connected.value ? say('banner.offline') : needed.value === 'asking' ? say('banner.asking') : '';
  return html`<div class="banner" role="status">${text && html`<p><${Icon} name=${connected.value ? 'key' : 'offline'}/>${text}</p>`}</div>`;
}
