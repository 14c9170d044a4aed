// Signing players up: a list that is pasted, or a file.
import { useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { sendText } from './api.mjs';
import { Deed } from './deed.mjs';
import { Field } from './field.mjs';
import { t } from './language.mjs';
import { grouped } from './money.mjs';
import { tell, Trouble } from './notice.mjs';
import { mayChange } from './session.mjs';

export function SignUps({ of, reload }) {
  const [text, setText] = useState('');
  const [state, setState] = useState({ busy: false, problem: null });
  const over = of.phase === 'closed' || of.phase === 'settled';
  const uids = text.split(/[\s,;，；]+/).filter((uid) => uid !== '' && uid !== 'uid');
  const form = { values: { uids: text }, wrong: {}, disabled: over || !mayChange.value, set: (_, value) => setText(value) };
  const take = async (event) => {
    const file = event.currentTarget.files[0];
    if (file) setText(await file.text());
    event.target.value = ''; // so that the same file can be chosen again
  };
  const sign = async () => {
    setState({ busy: true, problem: null });
    try {
      const { added, known } = await sendText('POST', `campaigns/${of.id}/signups`, uids.join('\n'), 'text/csv');
      tell(t('signups.done', { added: grouped(added), known: grouped(known) }));
      setText('');
      setState({ busy: false, problem: null });
      reload();
    } catch (problem) {
      setState({ busy: false, problem });
    }
  };
  return html`
    <section class="panel signups">
      <h2>${t('signups.title', { n: grouped(of.signed_up) })}</h2>
      <p class="muted small">${t('signups.about.' + of.signup)}</p>
      ${!over && html`
        <${Field} form=${form} path="uids" label=${t('signups.uids')}>
          ${(control) => html`<textarea rows="4" placeholder=${'1001\n1002'} spellcheck=${false} ...${control}></textarea>`}
        </${Field}>
        <${Trouble} problem=${state.problem} />
        <div class="answers start">
          <${Deed} kind="primary" disabled=${uids.length === 0 || state.busy} onClick=${sign}>${t('signups.do', { n: grouped(uids.length) })}</${Deed}>
          <label class="button ${form.disabled ? 'off' : ''}">${t('signups.file')}<input type="file" accept=".csv,.txt,text/csv,text/plain" class="hidden" disabled=${form.disabled} onChange=${take} /></label>
        </div>`}
    </section>`;
}
