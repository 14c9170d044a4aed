// Where in the console one is: the fragment of the address, such as #/campaigns/3?tab=rules.
import { signal } from '../vendor/signals.mjs';

export const route = signal(current());

addEventListener('hashchange', () => {
  route.value = current();
  scrollTo(0, 0);
});

function current() {
  const hash = location.hash.startsWith('#/') ? location.hash.slice(2) : ''; // or else a link's code
  const [path, search = ''] = hash.split('?');
  return { path: path.split('/').filter(Boolean).map(decodeURIComponent), search: new URLSearchParams(search) };
}

// go leads to a place.
export function go(path) {
  location.hash = '#/' + path;
}
