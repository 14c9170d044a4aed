// The console: what is shown at which place.
import { useEffect, useRef } from '../vendor/hooks.mjs';
import { html, render } from '../vendor/html.mjs';
import { effect } from '../vendor/signals.mjs';
import { Audit } from './audit.mjs';
import { Campaign } from './campaign.mjs';
import { Campaigns } from './campaigns.mjs';
import { NewCampaign } from './form.mjs';
import { Frame } from './frame.mjs';
import { Gate } from './gate.mjs';
import { Journal } from './journal.mjs';
import { language, t } from './language.mjs';
import { Notices } from './notice.mjs';
import { Players } from './player.mjs';
import { Revise } from './revise.mjs';
import { route } from './route.mjs';
import { Server } from './server.mjs';
import { begin, standing } from './session.mjs';
import { SignIn } from './signin.mjs';
import { Webhooks } from './webhooks.mjs';

function page([place = 'campaigns', id, deed], search) {
  switch (place) {
    case 'campaigns':
      if (id === undefined) return html`<${Campaigns} />`;
      if (id === 'new') return html`<${NewCampaign} />`;
      return deed === 'revise' ? html`<${Revise} key=${id} id=${id} />` : html`<${Campaign} key=${id} id=${id} />`;
    case 'players': return html`<${Players} uid=${id} />`;
    case 'journal': return html`<${Journal} key=${search.toString()} search=${search} />`;
    case 'audit': return html`<${Audit} />`;
    case 'webhooks': return html`<${Webhooks} name=${id} deed=${search.get('do')} />`;
    case 'gate': return html`<${Gate} />`;
    case 'server': return html`<${Server} />`;
    default: return html`<p class="nothing">${t('nav.nowhere')}</p>`;
  }
}

function Console() {
  const { path, search } = route.value;
  if (standing.value === 'starting') return null;
  if (standing.value === 'out') return html`<main class="outside"><${SignIn} /></main>`;
  return html`
    <${Frame} place=${path[0] ?? 'campaigns'}>${page(path, search)}</${Frame}>
    ${standing.value === 'lost' && html`<${SignInAgain} />`}
    <${Notices} />`;
}

// SignInAgain is in front of what was going on, which goes on afterwards.
function SignInAgain() {
  const element = useRef(null);
  useEffect(() => element.current.showModal(), []);
  return html`<dialog ref=${element} aria-labelledby="signin" onCancel=${(event) => event.preventDefault()}><${SignIn} /></dialog>`;
}

effect(() => {
  document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en';
  document.title = t('title');
});

render(html`<${Console} />`, document.getElementById('console'));
begin();
