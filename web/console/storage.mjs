// What the page remembers in the browser, and how its tabs hear of one another. A browser that refuses (blocked cookies)
// only makes it forgetful: who reloads signs in again.

export function recall(store, name) {
  try {
    return window[store].getItem('hongbao.console.' + name);
  } catch {
    return null;
  }
}

export function remember(store, name, value) {
  try {
    if (value === null) window[store].removeItem('hongbao.console.' + name);
    else window[store].setItem('hongbao.console.' + name, value);
  } catch { /* forgetful, then */ }
}

// hearTabs calls then with what other tabs tell, and returns how to tell them.
export function hearTabs(then) {
  try {
    const channel = new BroadcastChannel('hongbao.console');
    channel.onmessage = ({ data }) => then(data);
    return (data) => channel.postMessage(data);
  } catch {
    return () => {}; // an old browser, or one that lets this page keep nothing: each tab by itself
  }
}
