// Tabs of one player tell one another that something changed; what it is, each asks the server, which alone knows.
const heard = {};
let channel = null;

export function tellTabs(what) {
  if (channel) channel.postMessage(what);
  else {
    try {
      localStorage.setItem('hongbao.tab', what + '/' + Math.random()); // browsers without channels, too, tell of this
    } catch { /* then they learn when they are looked at */ }
  }
}

export function hearTabs(what, then) {
  heard[what] = then;
}

export function startTabs() {
  try {
    channel = new BroadcastChannel('hongbao');
    channel.onmessage = ({ data }) => { if (heard[data]) heard[data](); };
    return;
  } catch { /* an old browser, or one that lets this page keep nothing */ }
  window.addEventListener('storage', ({ key, newValue }) => {
    if (key !== 'hongbao.tab' || !newValue) return;
    const what = newValue.split('/')[0];
    if (heard[what]) heard[what]();
  });
}
