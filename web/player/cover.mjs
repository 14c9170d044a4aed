// What lies over the stage: wins that wait to be opened, and a sheet.
import { computed, signal } from '../vendor/signals.mjs';

// wins are those to be opened, in the order they were won.
export const wins = signal([]);

export function showWin(win) {
  if (!wins.value.some(w => w.envelope_id === win.envelope_id)) wins.value = [...wins.value, win];
}

export const putWin = () => { wins.value = wins.value.slice(1); };

// sheet is the name of the one that is open; empty: none.
export const sheet = signal('');

export const openSheet = name => { sheet.value = name; };
export const closeSheet = () => { sheet.value = ''; };

// covered: nobody sees the stage just now.
export const covered = computed(() => wins.value.length > 0 || sheet.value !== '');
