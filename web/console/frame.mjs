// What stands around every page: where one can go, who one is, and the language.
import { useEffect, useRef } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { language, speak, t } from './language.mjs';
import { now, local, zoneLabel } from './time.mjs';
import { signOut, who } from './session.mjs';

const places = ['campaigns', 'players', 'journal', 'audit', 'webhooks', 'gate', 'server'];

export function Languages() {
  return html`
    <div class="segments languages" role="group" aria-label="Language 语言">
      ${[['zh', '中文'], ['en', 'English']].map(([code, name]) => html`
        <button key=${code} type="button" lang=${code} aria-pressed=${language.value === code} onClick=${() => speak(code)}>${name}</button>`)}
    </div>`;
}

export function Frame({ place, children }) {
  const list = useRef(null);
  useEffect(() => list.current.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' }), [place]);
  return html`
    <div class="frame">
      <a class="skip" href="#main" onClick=${skip}>${t('nav.skip')}</a>
      <nav class="side" aria-label=${t('nav.label')}>
        <a class="brand" href="#/campaigns"><img src="favicon.svg" alt="" width="28" height="28" /> hongbao</a>
        <ul ref=${list}>${places.map((p) => html`<li key=${p}><a href=${'#/' + p} aria-current=${p === place ? 'page' : undefined}>${t('nav.' + p)}</a></li>`)}</ul>
        <div class="whoami">
          <p><b>${who.value.name}</b> <span class="role">${t('role.' + who.value.role)}</span></p>
          <p class="muted small" title=${zoneLabel()}><${Clock} /></p>
          <${Languages} />
          <button type="button" class="quiet" onClick=${signOut}>${t('nav.sign_out')}</button>
        </div>
      </nav>
      <main id="main" tabindex="-1">${children}</main>
    </div>`;
}

function skip(event) {
  event.preventDefault(); // the fragment is the place in the console
  document.getElementById('main').focus();
}

function Clock() {
  return html`${local(now.value).slice(11)} ${zoneLabel().replace(/^.*\((.*)\)$/, '$1')}`;
}
