// Cancelling a campaign, for good: whoever does it types its name.
import { useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { send } from './api.mjs';
import { parts } from './budget.mjs';
import { Deed } from './deed.mjs';
import { Answers, Dialog } from './dialog.mjs';
import { Field } from './field.mjs';
import { t } from './language.mjs';
import { grouped, yuan } from './money.mjs';
import { tell, Trouble } from './notice.mjs';
import { secondsOf, span } from './time.mjs';

export function Cancel({ of, onClose, onDone }) {
  const [name, setName] = useState('');
  const [state, setState] = useState({ busy: false, problem: null });
  const { held, left } = parts(of);
  const cancel = async (event) => {
    event.preventDefault();
    setState({ busy: true, problem: null });
    try {
      await send('POST', `campaigns/${of.id}/cancel`);
      tell(t('cancel.done', { name: of.name }));
      onDone();
      onClose();
    } catch (problem) {
      setState({ busy: false, problem });
    }
  };
  const form = { values: { name }, wrong: {}, set: (_, value) => setName(value) };
  return html`
    <${Dialog} title=${t('cancel.title', { name: of.name })} onClose=${onClose}>
      <form onSubmit=${cancel} novalidate>
        <ul class="plain">
          <li>${t('cancel.no_more', { count: grouped(left.count), total: yuan(left.total_fen) })}</li>
          <li>${t('cancel.held', { count: grouped(held.count), total: yuan(held.total_fen), span: span(secondsOf(of.open_for)) })}</li>
          <li>${t('cancel.for_good')}</li>
        </ul>
        <${Field} form=${form} path="name" label=${html`${t('cancel.type')} <b>${of.name}</b>`} autofocus />
        <${Trouble} problem=${state.problem} />
        <${Answers} onClose=${onClose}>
          <${Deed} kind="danger solid" type="submit" disabled=${name.trim() !== of.name || state.busy}>${t('cancel.do')}</${Deed}>
        </${Answers}>
      </form>
    </${Dialog}>`;
}
