// An amount that counts up to where it stands now.
import { useEffect, useRef, useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { yuan } from './language.mjs';
import { calm } from './motion.mjs';

const stepMs = 30;

// Amount shows fen; from: where to begin the first time (default: no counting then).
export function Amount({ fen, from = fen, ms = 900, class: name = '' }) {
  const [shown, show] = useState(calm.value ? fen : from);
  const at = useRef(shown);
  useEffect(() => {
    const begin = at.current, start = performance.now();
    if (begin === fen) return undefined;
    if (calm.value) {
      at.current = fen;
      show(fen);
      return undefined;
    }
    const timer = setInterval(() => {
      const t = Math.min(1, (performance.now() - start) / ms);
      at.current = Math.round(begin + (fen - begin) * (1 - (1 - t) ** 3));
      show(at.current);
      if (t === 1) clearInterval(timer);
    }, stepMs);
    return () => clearInterval(timer);
  }, [fen]);
  return html`<span class=${'amount ' + name} data-fen=${fen}>${yuan(shown)}</span>`;
}
