// Small pictures in the text's colour.
import { html } from '../vendor/html.mjs';

const paths = {
  wallet: 'M4 7a3 3 0 0 1 3-3h10v3M4 7v10a3 3 0 0 0 3 3h12a1 1 0 0 0 1-1V8a1 1 0 0 0-1-1H4zM16 13.5h.5',
  list: 'M5 7h14M5 12h14M5 17h14',
  rules: 'M7 3h8l4 4v13a1 1 0 0 1-1 1H7a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zM14 3v5h5M9 13h6M9 17h4',
  fair: 'M12 3v18M7 21h10M5 7h14M5 7l-3 7h6zM19 7l-3 7h6z',
  close: 'M6 6l12 12M18 6L6 18',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  clock: 'M12 7v5l3.5 2M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z',
  pause: 'M9 6v12M15 6v12',
  cancel: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM6 6l12 12',
  lock: 'M7 11V8a5 5 0 0 1 10 0v3M6 11h12v9H6zM12 15v2',
  medal: 'M12 14a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM8.5 13L7 21l5-2.5L17 21l-1.5-8',
  pen: 'M4 20l1-4L16 5l3 3L8 19zM14 7l3 3',
  moon: 'M19 14.5A8 8 0 0 1 9.5 5a8 8 0 1 0 9.5 9.5z',
  sad: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM9 10v.5M15 10v.5M8.5 16c2-2.6 5-2.6 7 0',
  key: 'M14.5 9.5a4 4 0 1 0-3.4 4L13 15.5h2v2h2v2h3v-3l-5.7-5.7M8 9.5h.1',
  offline: 'M3 3l18 18M5 12a10 10 0 0 1 4-2.4M2 8.5A15 15 0 0 1 6.5 6M12 5.2c3.8 0 7.300 1.300 10 3.500M15 10a10 10 0 0 1 4 2M8.500 15.500a5 5 0 0 1 6 0M12 19.500h.1',
  arrow: 'M9 5l7 7-7 7',
};

export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${paths[name]} fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/></svg>`;
}
