// Sign-up for campaigns that ask for it. The server does not say who has signed up, but signing up again changes nothing;
// so what the page remembers is a convenience, and a snatch that is refused corrects it.
import { computed, signal } from '../vendor/signals.mjs';
import { persist } from './api.mjs';
import { owner } from './identity.mjs';
import { stand } from './snatch.mjs';
import { recallForAll, rememberForAll } from './storage.mjs';
import { hearTabs, tellTabs } from './tab.mjs';

const keptMax = 200;
const place = () => 'signups.' + owner.value;
const version = signal(0); // raised when a tab has written

const known = computed(() => version.value >= 0 && recallForAll(place()) || []);
export const isSignedUp = id => known.value.includes(id);

// signing is the id of the campaign that is being signed up for.
export const signing = signal('');

export async function signUp(id) {
  signing.value = id;
  try {
    const { status } = await persist('PUT', `v1/campaigns/${id}/signup`, { tries: 6 });
    if (status === 'signed_up' || status === 'not_required') mark(id, true);
    return { status };
  } catch (problem) {
    return { error: problem.code };
  } finally {
    signing.value = '';
  }
}

export function mark(id, signedUp) {
  const others = known.value.filter(other => other !== id);
  rememberForAll(place(), signedUp ? [...others, id].slice(-keptMax) : others);
  version.value++;
  if (signedUp) stand(id, { refusal: '' });
  tellTabs('signup');
}

export function startSignups() {
  hearTabs('signup', () => { version.value++; });
}
