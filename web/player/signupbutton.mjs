// Sign-up, where a campaign asks for it.
import { useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { Icon } from './icon.mjs';
import { say } from './language.mjs';
import { wordsOf } from './notice.mjs';
import { isSignedUp, signing, signUp } from './signup.mjs';

export function SignUp({ campaign: c }) {
  const [result, tell] = useState(null);
  if (c.signup === 'none') return null;
  if (c.signup === 'invited') return html`<p class="hint">${say('about.invited_only')}</p>`;
  if (isSignedUp(c.id)) return html`<p class="signed-up"><${Icon} name="check"/>${say('signup.done')}</p>`;
  const busy = signing.value === c.id;
  return html`<div class="signup">
    <button class="gold" aria-disabled=${busy} onClick=${async () => { if (!busy) tell(await signUp(c.id)); }}>${say(busy ? 'signup.doing' : 'signup.do')}</button>
    <p class="hint" role="status">${result ? wordsOf(result) : say('signup.until')}</p>
  </div>`;
}
