// Markup in template literals: htm, bound to Preact.
import htm from './htm.mjs';
import { Fragment, h, render } from './preact.mjs';

export const html = htm.bind(h);
export { Fragment, h, render };
