// The player page: what happens, and in which order. What it looks like begins in app.mjs.
import { effect, untracked } from '../vendor/signals.mjs';
import { html, render } from '../vendor/html.mjs';
import { startConnection } from './api.mjs';
import { App } from './app.mjs';
import { readCampaigns, startStage } from './campaign.mjs';
import { distrust, serverNow, startClock } from './clock.mjs';
import { showWin } from './cover.mjs';
import { frames } from './frame.mjs';
import { owner, startIdentity } from './identity.mjs';
import { language, say } from './language.mjs';
import { startLive } from './live.mjs';
import { outcome, resume } from './snatch.mjs';
import { mark, startSignups } from './signup.mjs';
import { startTabs, tellTabs } from './tab.mjs';
import { startTickets } from './ticket.mjs';
import { keepReceipt, readWallet, startWallet } from './wallet.mjs';

effect(() => {
  document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en';
  document.title = say('app.title');
});

// What an outcome changes beside itself.
effect(() => {
  const result = outcome.value;
  if (result) untracked(() => concluded(result));
});

function concluded(result) {
  if (result.status === 'not_signed_up') mark(result.campaign, false);
  if (result.status === 'not_open' || result.status === 'closed') { // then the clocks disagree, or the rules have changed
    distrust();
    readCampaigns().catch(() => {});
  }
  if (result.status !== 'won') return;
  keepReceipt(result);
  showWin(result);
  readWallet();
  tellTabs('wallet');
}

startTabs();
startIdentity();
startClock();
startConnection();
startStage();
startSignups();
render(html`<${App}/>`, document.getElementById('app'));

readCampaigns().catch(() => {});
startLive();
startTickets();
startWallet();
effect(() => {
  if (owner.value) untracked(resume); // what a reload left open comes before any other
});

window.hongbao = { frames, serverNow };
