// The fields of a form. Each is known by the path that the server calls it by, so that the server's errors find it.
import { useId } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { has, t } from './language.mjs';
import { reason } from './notice.mjs';

// Form is what fields share: values by path, how to set one, and what is wrong: {path: problem or key of a text}.
export function Field({ form, path, label, hint, before, unit, children, ...input }) {
  const id = useId();
  const wrong = form.wrong[path];
  const described = [hint && id + '-hint', wrong && id + '-wrong'].filter(Boolean).join(' ') || undefined;
  const control = {
    id, name: path, value: form.values[path] ?? '', disabled: form.disabled,
    'aria-invalid': wrong ? 'true' : undefined, 'aria-describedby': described,
    onInput: (event) => form.set(path, event.currentTarget.value),
  };
  return html`
    <div class="field ${wrong ? 'wrong' : ''}" data-field=${path}>
      <label for=${id}>${label ?? t('rule.' + path)}</label>
      <span class="control">
        ${before && html`<span class="unit">${before}</span>`}
        ${children ? children(control) : html`<input type="text" autocomplete="off" spellcheck=${false} ...${control} ...${input} />`}
        ${unit && html`<span class="unit">${unit}</span>`}
      </span>
      ${hint && html`<small id=${id + '-hint'} class="hint">${hint}</small>`}
      <${Wrong} id=${id + '-wrong'} of=${wrong} path=${path} />
    </div>`;
}

// Wrong is what is wrong with a field: our words, and the server's.
function Wrong({ id, of, path }) {
  if (!of) return null;
  if (typeof of === 'string') return html`<p id=${id} class="error" role="alert">${t(of)}</p>`;
  const key = 'wrong.' + path;
  return html`
    <div id=${id} class="error" role="alert">
      <p>${of.code === 'invalid_request' && has(key) ? t(key) : reason(of)}</p>
      <p class="detail" lang="en">${of.detail}</p>
    </div>`;
}

export function Choice({ form, path, of, prefix, hint }) {
  return html`
    <${Field} form=${form} path=${path} hint=${hint}>
      ${(control) => html`
        <select ...${control}>
          ${of.map((value) => html`<option key=${value} value=${value} selected=${value === control.value}>${t(`${prefix ?? path}.${value}`)}</option>`)}
        </select>`}
    </${Field}>`;
}

export function Tick({ form, path, label, hint }) {
  const id = useId();
  return html`
    <div class="field tick" data-field=${path}>
      <label for=${id}>
        <input type="checkbox" id=${id} name=${path} checked=${form.values[path] ?? false} disabled=${form.disabled}
          aria-describedby=${hint ? id + '-hint' : undefined} onChange=${(event) => form.set(path, event.currentTarget.checked)} />
        <span>${label ?? t('rule.' + path)}</span>
      </label>
      ${hint && html`<small id=${id + '-hint'} class="hint">${hint}</small>`}
    </div>`;
}

// Moment is a time in the server's zone, to the second.
export function Moment({ form, path, hint, disabled }) {
  return html`
    <${Field} form=${form} path=${path} hint=${hint}>
      ${(control) => html`<input type="datetime-local" step="1" ...${control} disabled=${control.disabled || disabled} />`}
    </${Field}>`;
}

const units = ['s', 'min', 'h', 'd'];

// Length is a length of time: a number and its unit, kept under path and path + '.unit'.
export function Length({ form, path, hint, placeholder }) {
  const unitPath = path + '.unit';
  return html`
    <${Field} form=${form} path=${path} hint=${hint}>
      ${(control) => html`
        <input type="text" inputmode="decimal" autocomplete="off" placeholder=${placeholder} ...${control} />
        <select name=${unitPath} aria-label=${t('unit.label', { of: t('rule.' + path) })} disabled=${form.disabled}
          onChange=${(event) => form.set(unitPath, event.currentTarget.value)}>
          ${units.map((unit) => html`<option key=${unit} value=${unit} selected=${unit === form.values[unitPath]}>${t('unit.' + unit)}</option>`)}
        </select>`}
    </${Field}>`;
}

const seconds = { s: 1, min: 60, h: 3600, d: 86400 };

// durationOf is a Length as the server reads it; null where the number is none, undefined where there is none.
export function durationOf(values, path) {
  const text = (values[path] ?? '').normalize('NFKC').trim();
  if (text === '') return undefined;
  if (!/^\d{1,9}(\.\d{1,3})?$/.test(text)) return null;
  const ms = Math.round(Number(text) * seconds[values[path + '.unit']] * 1000);
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
