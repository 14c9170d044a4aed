// What the page remembers in the browser. A browser that refuses (private windows, blocked cookies) only makes it
// forgetful.

function read(store, name) {
  try {
    return JSON.parse(window[store].getItem('hongbao.' + name));
  } catch {
    return null;
  }
}

function write(store, name, value) {
  try {
    if (value === null) window[store].removeItem('hongbao.' + name);
    else window[store].setItem('hongbao.' + name, JSON.stringify(value));
  } catch { /* forgetful, then */ }
}

// Of this tab, over reloads.
export const recall = name => read('sessionStorage', name);
export const remember = (name, value) => write('sessionStorage', name, value);

// Of every tab, for good.
export const recallForAll = name => read('localStorage', name);
export const rememberForAll = (name, value) => write('localStorage', name, value);
