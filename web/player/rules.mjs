// The rules of a campaign, for people.
import { useState } from '../vendor/hooks.mjs';
import { html } from '../vendor/html.mjs';
import { closesAt, current, durationMs, opensAt } from './campaign.mjs';
import { serverNow } from './clock.mjs';
import { moment, say, span, textOf, thousands, titleOf, yuan } from './language.mjs';
import { usePublished } from './published.mjs';
import { Sheet } from './sheet.mjs';

export function RulesSheet({ close }) {
  const [c] = useState(current.value), published = usePublished(c.id);
  const revisions = published ? published.campaign.revisions : [];
  const rules = revisions.length ? revisions[revisions.length - 1].rules : null;
  return html`<${Sheet} name="rules" title=${say('rules.title')} close=${close}>
    <p class="rules-title">${titleOf(c)}</p>
    ${rules && textOf(rules.rules_text) && html`<p class="rules-text">${textOf(rules.rules_text)}</p>`}
    <dl class="terms">${terms(c, rules).map(([name, text]) => html`<div key=${name}><dt>${say('rules.' + name)}</dt><dd>${text}</dd></div>`)}</dl>
  <//>`;
}

function terms(c, rules) {
  const list = [['window', `${moment(opensAt(c), serverNow())} – ${moment(closesAt(c), serverNow())}`]];
  if (!rules) return list;
  const { budget, chance } = rules;
  list.push(['budget', say('rules.budget_of', { amount: yuan(budget.total_fen), n: thousands(budget.count) })]);
  list.push(['range', budget.min_fen === budget.max_fen ? yuan(budget.min_fen) : `${yuan(budget.min_fen)} – ${yuan(budget.max_fen)}`]);
  if (rules.wins_max > 0) list.push(['wins', say('rules.wins_of', { n: rules.wins_max })]);
  if (rules.daily_wins_max > 0) list.push(['daily', say('rules.wins_of', { n: rules.daily_wins_max })]);
  if (Number(chance) < 1) list.push(['chance', `${Number((Number(chance) * 100).toPrecision(3))}%`]);
  list.push(['open_for', say('rules.open_for_of', { time: span(durationMs(rules.open_for)) })]);
  if (c.signup !== 'none') list.push(['signup', say('rules.signup_' + c.signup)]);
  if (c.fair_start) list.push(['fair_start', say('rules.fair_start_of', { time: span(durationMs(c.fair_start)) })]);
  return list;
}
