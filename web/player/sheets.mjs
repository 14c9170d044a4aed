// The sheets that slide over the page: one at a time.
import { html } from '../vendor/html.mjs';
import { closeSheet, sheet } from './cover.mjs';
import { Fair } from './fair.mjs';
import { List } from './list.mjs';
import { Me } from './me.mjs';
import { Purse } from './purse.mjs';
import { RulesSheet } from './rules.mjs';

const sheets = { wallet: Purse, list: List, rules: RulesSheet, fair: Fair, me: Me };

export function Sheets() {
  const Shown = sheets[sheet.value];
  return Shown ? html`<${Shown} close=${closeSheet}/>` : null;
}
