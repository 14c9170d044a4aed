// The way in for whoever has no link: a token.
import { useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { Field } from './field.mjs';
import { t } from './language.mjs';
import { Trouble } from './notice.mjs';
import { Languages } from './frame.mjs';
import { refusal, signIn, standing } from './session.mjs';

export function SignIn() {
  const [token, setToken] = useState('');
  const [state, setState] = useState({ busy: false, problem: null });
  const lost = standing.value === 'lost';
  const submit = async (event) => {
    event.preventDefault();
    setState({ busy: true, problem: null });
    try {
      await signIn(token.trim());
    } catch (problem) {
      setState({ busy: false, problem });
    }
  };
  const refused = state.problem?.status === 401 ? { token: 'signin.refused' } : {};
  const form = { values: { token }, wrong: refused, set: (_, value) => setToken(value) };
  return html`
    <form class="signin" onSubmit=${submit} novalidate>
      <p class="brand"><img src="favicon.svg" alt="" width="36" height="36" /> hongbao</p>
      <h1 id="signin">${t(lost ? 'signin.again' : 'signin.title')}</h1>
      <p class="muted">${t(lost ? 'signin.lost' : 'signin.about')}</p>
      ${!state.problem && html`<${Trouble} problem=${refusal.value} />`}
      <${Field} form=${form} path="token" label=${t('signin.token')} hint=${t('signin.hint')} type="password" autocomplete="current-password" autofocus />
      ${!refused.token && html`<${Trouble} problem=${state.problem} />`}
      <button class="primary wide" disabled=${token.trim() === '' || state.busy}>${t('signin.do')}</button>
      <${Languages} />
    </form>`;
}
