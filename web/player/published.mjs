// The rules as the server published them, byte for byte: the fingerprint was taken over them, so that a number written another
// way would be another fingerprint.
import { useEffect, useState } from '../vendor/hooks.mjs';
import { address } from './api.mjs';

// usePublished returns {campaign, texts} once it is there: the campaign with its revisions, and the rules of each as text.
export function usePublished(id, seed) {
  const [published, tell] = useState(null);
  useEffect(() => {
    let wanted = true;
    fetch(address('v1/campaigns/' + id), { cache: 'no-store' }).then(response => response.text()).then(text => {
      if (wanted) tell({ campaign: JSON.parse(text), texts: rulesTexts(text) });
    }).catch(() => {});
    return () => { wanted = false; };
  }, [id, seed]);
  return published;
}

// rulesTexts cuts each revision's rules out of the answer.
function rulesTexts(text) {
  const mark = '"rules":', texts = [];
  for (let at = text.indexOf(mark, text.indexOf('"revisions":')); at >= 0; at = text.indexOf(mark, at)) {
    const start = at + mark.length;
    at = endOf(text, start);
    texts.push(text.slice(start, at));
  }
  return texts;
}

// endOf is where the object that begins at a place ends.
function endOf(text, start) {
  let depth = 0, quoted = false;
  for (let i = start; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === '\\') i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === '{') depth++;
    else if (c === '}' && --depth === 0) return i + 1;
  }
  return text.length;
}

// fingerprint is SHA-256(seed ‖ rules) in hexadecimal; null where the browser computes none (no secure context).
export async function fingerprint(seed, rules) {
  if (!window.crypto.subtle) return null;
  const bytes = Uint8Array.from(seed.match(/../g), hex => parseInt(hex, 16)), text = new TextEncoder().encode(rules);
  const message = new Uint8Array(bytes.length + text.length);
  message.set(bytes);
  message.set(text, bytes.length);
  const sum = await crypto.subtle.digest('SHA-256', message);
  return Array.from(new Uint8Array(sum), byte => byte.toString(16).padStart(2, '0')).join('');
}
