// Who plays, where that may be chosen: on one's own machine.
import { useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { player, playAs } from './identity.mjs';
import { say } from './language.mjs';
import { Sheet } from './sheet.mjs';

export function Me({ close }) {
  const [text, write] = useState(player.value.uid), [wrong, tell] = useState(false);
  const use = event => {
    event.preventDefault();
    if (playAs(text.trim())) close();
    else tell(true);
  };
  return html`<${Sheet} name="me" title=${say('me.title')} close=${close}>
    <p class="card-about">${say('me.about')}</p>
    <form class="me-form" onSubmit=${use}>
      <label for="uid">${say('me.uid')}</label>
      <input id="uid" data-focus inputmode="numeric" autocomplete="off" value=${text} aria-invalid=${wrong} aria-describedby="uid-wrong" onInput=${event => { write(event.target.value); tell(false); }}/>
      <p id="uid-wrong" class="wrong" role="alert">${wrong ? say('me.wrong') : ''}</p>
      <button class="gold">${say('me.use')}</button>
    </form>
  <//>`;
}
