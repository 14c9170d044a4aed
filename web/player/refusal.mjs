// Why there is nothing to snatch just now, in a friendly way, and what to do instead.
import { html } from '../vendor/html.mjs';
import { next } from './campaign.mjs';
import { openSheet } from './cover.mjs';
import { NextUp } from './end.mjs';
import { Icon } from './icon.mjs';
import { askAgain } from './identity.mjs';
import { has, say, titleOf } from './language.mjs';
import { SignUp } from './signupbutton.mjs';
import { isSignedUp } from './signup.mjs';
import { stand } from './snatch.mjs';
import { Tally } from './tally.mjs';

const icons = {
  sold_out: 'sad', paused: 'pause', cancelled: 'cancel', closed: 'clock', not_open: 'clock', not_signed_up: 'pen',
  limit_reached: 'medal', daily_limit_reached: 'moon', denied: 'lock', not_found: 'sad',
};

export function Refusal({ why, campaign: c }) {
  const invited = why === 'not_signed_up' && c.signup === 'invited';
  const name = invited ? 'invited_only' : why;
  const wallet = ['limit_reached', 'daily_limit_reached', 'cancelled', 'sold_out'].includes(why);
  return html`<section class="card refusal" data-why=${why} aria-labelledby="title">
    <span class="medallion"><${Icon} name=${icons[why] || 'sad'}/></span>
    <p class="kicker">${titleOf(c)}</p>
    <h1 id="title" class="card-title">${say((has('status.' + name) ? 'status.' : 'error.') + name)}</h1>
    <p class="card-about">${say('about.' + name)}</p>
    ${wallet && html`<${Tally} campaign=${c}/>`}
    ${why === 'not_signed_up' && !invited && !isSignedUp(c.id) && html`<${SignUp} campaign=${c}/>`}
    <p class="card-actions">
      ${wallet && html`<button class="gold" onClick=${() => openSheet('wallet')}>${say('wallet.title')}</button>`}
      ${(invited || why === 'denied' || why === 'daily_limit_reached') && html`<button class="quiet" onClick=${() => stand(c.id, { refusal: '' })}>${say('signin.again')}</button>`}
      ${!next.value && why === 'not_found' && html`<button class="quiet" onClick=${() => openSheet('list')}>${say('list.title')}</button>`}
    </p>
    <${NextUp}/>
  </section>`;
}

export function SignIn() {
  return html`<section class="card refusal" data-why="unauthorised" aria-labelledby="title">
    <span class="medallion"><${Icon} name="key"/></span>
    <h1 id="title" class="card-title">${say('signin.title')}</h1>
    <p class="card-about">${say('signin.about')}</p>
    <p class="card-actions"><button class="gold" onClick=${askAgain}>${say('signin.again')}</button></p>
  </section>`;
}
