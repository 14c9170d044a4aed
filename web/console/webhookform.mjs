// Making a webhook, and changing one.
import { useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { read, send } from './api.mjs';
import { Copy } from './copy.mjs';
import { Deed, ReadOnly } from './deed.mjs';
import { Dialog } from './dialog.mjs';
import { Field, Tick } from './field.mjs';
import { t } from './language.mjs';
import { tell, Trouble } from './notice.mjs';
import { useLoad } from './poll.mjs';
import { go } from './route.mjs';
import { mayChange } from './session.mjs';
import { pathOf } from './webhook.mjs';

export const events = [
  'envelope.won', 'envelope.opened', 'envelope.refunded', 'created', 'revised', 'countdown', 'open', 'sold_out', 'closed', 'cancelled', 'paused', 'resumed',
];

export function EditWebhook({ name }) {
  const first = useLoad((signal) => read(pathOf(name), { signal }), [name]);
  if (first.problem) return html`<${Trouble} problem=${first.problem} />`;
  return first.data ? html`<${WebhookForm} key=${first.data.etag} of=${first.data} reload=${first.reload} />` : html`<p class="muted">${t('loading')}</p>`;
}

const typed = (w) => ({ name: w?.name ?? '', url: w?.url ?? '', secret: '', events: w?.events ?? [], campaigns: (w?.campaigns ?? []).join('\n'), disabled: w?.disabled ?? false });

const listOf = (text) => text.split(/[\s,，]+/).filter(Boolean);

// specOf is what the form holds as the server takes it. Without a secret it keeps those that it has, or makes one.
function specOf(values) {
  const secret = listOf(values.secret);
  return { url: values.url.trim(), ...(secret.length > 0 && { secret }), events: values.events, campaigns: listOf(values.campaigns), disabled: values.disabled };
}

export function WebhookForm({ of, reload }) {
  const [values, setValues] = useState(() => typed(of));
  const [state, setState] = useState({ busy: false, problem: null, made: null });
  const form = {
    values, wrong: wrongAt(state.problem), disabled: !mayChange.value,
    set: (path, value) => {
      setValues((old) => ({ ...old, [path]: value }));
      setState({ busy: false, problem: null, made: null });
    },
  };
  const save = async (event) => {
    event.preventDefault();
    setState({ busy: true, problem: null, made: null });
    try {
      const made = await send('PUT', pathOf(values.name.trim()), specOf(values), { ifMatch: of ? of.etag : '"0"' });
      tell(t('webhook.saved', made));
      if (made.secret) setState({ busy: false, problem: null, made });
      else go(pathOf(made.name));
    } catch (problem) {
      setState({ busy: false, problem: !of && problem.code === 'stale_revision' ? { ...problem, code: 'webhook_exists' } : problem, made: null });
    }
  };
  return html`
    <form onSubmit=${save} novalidate>
      <header class="page"><div>
        <p class="crumbs"><a href=${of ? '#/' + pathOf(of.name) : '#/webhooks'}>${of ? of.name : t('webhooks.title')}</a></p>
        <h1>${t(of ? 'webhook.edit_title' : 'webhooks.new')}</h1>
      </div></header>
      <${ReadOnly} />
      <section class="panel fields">
        ${!of && html`<${Field} form=${form} path="name" maxlength="40" autofocus />`}
        <${Field} form=${form} path="url" label="URL" inputmode="url" placeholder="https://example.com/hongbao" maxlength="1024" />
        <${Field} form=${form} path="secret" label=${t('webhook.secret')} hint=${t(of ? 'webhook.secret_keep' : 'webhook.secret_new')}>
          ${(control) => html`<textarea rows="2" spellcheck=${false} autocomplete="off" placeholder="whsec_…" ...${control}></textarea>`}
        </${Field}>
        <${Field} form=${form} path="campaigns" label=${t('webhook.campaigns')} hint=${t('webhook.campaigns_hint')}>
          ${(control) => html`<textarea rows="2" spellcheck=${false} ...${control}></textarea>`}
        </${Field}>
        <${Events} form=${form} />
        <${Tick} form=${form} path="disabled" label=${t('webhook.disabled')} hint=${t('webhook.disabled_hint')} />
      </section>
      ${Object.keys(form.wrong).length === 0 && html`
        <${Trouble} problem=${state.problem}>${state.problem?.code === 'stale_revision' && html`<button type="button" onClick=${reload}>${t('report.again')}</button>`}</${Trouble}>`}
      <div class="answers"><${Deed} kind="primary" type="submit" disabled=${state.busy || !values.name.trim() || !values.url.trim()}>${t('webhook.save')}</${Deed}></div>
      ${state.made && html`<${Secret} of=${state.made} />`}
    </form>`;
}

// wrongAt is a problem at the field that it is about: a list's place is the list's.
function wrongAt(problem) {
  const field = problem?.field?.replace(/\[\d+\].*$/, '');
  return ['name', 'url', 'secret', 'events', 'campaigns'].includes(field) ? { [field]: problem } : {};
}

function Events({ form }) {
  const chosen = form.values.events;
  const turn = (name) => form.set('events', chosen.includes(name) ? chosen.filter((other) => other !== name) : [...chosen, name]);
  return html`
    <fieldset class="events">
      <legend>${t('webhooks.events')}</legend>
      <div>${events.map((name) => html`
        <label key=${name}><input type="checkbox" name=${name} checked=${chosen.includes(name)} disabled=${form.disabled} onChange=${() => turn(name)} /> ${t('webhook.event.' + name)} <code>${name}</code></label>`)}
      </div>
      <small class="hint">${t('webhook.events_hint')}</small>
    </fieldset>`;
}

// Secret shows a secret that the server made: now, and never again.
function Secret({ of }) {
  const done = () => go(pathOf(of.name));
  return html`
    <${Dialog} title=${t('webhook.secret_title')} onClose=${done}>
      <p>${t('webhook.secret_once')}</p>
      <p class="secret"><${Copy} text=${of.secret} /></p>
      <div class="answers"><button type="button" class="primary" onClick=${done}>${t('webhook.secret_kept')}</button></div>
    </${Dialog}>`;
}
