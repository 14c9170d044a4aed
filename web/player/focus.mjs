// Keeps the keyboard within what lies over the page, and gives it back afterwards.
import { useLayoutEffect } from '../vendor/hooks.mjs';

const reachable = 'button, [href], input, textarea, select, [tabindex="0"]';

// useFocusWithin moves the focus to what is marked data-focus, or the first that takes it; Escape calls leave.
export function useFocusWithin(ref, leave) {
  useLayoutEffect(() => {
    const box = ref.current, before = document.activeElement;
    const start = () => (box.querySelector('[data-focus]') || box.querySelector(reachable) || box).focus({ preventScroll: true });
    start();
    const pressed = event => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        leave();
        return;
      }
      if (event.key !== 'Tab') return;
      const all = [...box.querySelectorAll(reachable)].filter(e => e.offsetParent !== null);
      if (!all.length) return;
      const edge = event.shiftKey ? all[0] : all[all.length - 1];
      if (document.activeElement !== edge && box.contains(document.activeElement)) return;
      event.preventDefault();
      (event.shiftKey ? all[all.length - 1] : all[0]).focus();
    };
    // What had the focus may go away while its box stays, as a button does that was pressed.
    const watch = new MutationObserver(() => { if (!box.contains(document.activeElement)) start(); });
    watch.observe(box, { childList: true, subtree: true });
    document.addEventListener('keydown', pressed);
    return () => {
      document.removeEventListener('keydown', pressed);
      watch.disconnect();
      const back = before && before.isConnected && before !== document.body ? before : document.querySelector('main button');
      if (back) back.focus({ preventScroll: true });
    };
  }, []);
}
