// What makes a campaign verifiable (G8): its fingerprint, and once it is over the seed, checked against it here.
import { useEffect, useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { current } from './campaign.mjs';
import { CopyButton } from './copy.mjs';
import { Icon } from './icon.mjs';
import { say } from './language.mjs';
import { fingerprint, usePublished } from './published.mjs';
import { Sheet } from './sheet.mjs';

export function Fair({ close }) {
  const [c] = useState(current.value); // the one that was asked about, whatever comes next
  const published = usePublished(c.id);
  const { commitment, seed } = published ? published.campaign : c, texts = published ? published.texts : [];
  return html`<${Sheet} name="fair" title=${say('fair.title')} close=${close}>
    <p class="card-about">${say('fair.about')}</p>
    <${Figure} name=${say('fair.commitment')} text=${commitment}/>
    ${seed ? html`<${Figure} name=${say('fair.seed')} text=${seed}/>` : html`<div class="figure"><h3>${say('fair.seed')}</h3><p class="later"><${Icon} name="clock"/>${say('fair.seed_later')}</p></div>`}
    ${seed && texts[0] && html`<${Checked} seed=${seed} rules=${texts[0]} commitment=${commitment}/>`}
    ${texts.map((text, i) => html`<details key=${i}><summary>${say('fair.rules')} · ${say('fair.revision', { n: i + 1 })}</summary><code class="hex">${text}</code><${CopyButton} text=${text}/></details>`)}
    <p class="later">${say('fair.how')}</p>
  <//>`;
}

function Figure({ name, text }) {
  return html`<div class="figure"><h3>${name}</h3><code class="hex">${text}</code><${CopyButton} text=${text}/></div>`;
}

function Checked({ seed, rules, commitment }) {
  const [found, tell] = useState(null);
  useEffect(() => { fingerprint(seed, rules).then(tell); }, [seed, rules]);
  if (!found) return null;
  const good = found === commitment;
  return html`<p class=${good ? 'verdict good' : 'verdict bad'} role="status"><${Icon} name=${good ? 'check' : 'cancel'}/>${say(good ? 'fair.checked' : 'fair.differs')}</p>`;
}
