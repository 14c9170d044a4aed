// Amounts: whole fen inside, yuan with two decimal places to people. No fractions of binary numbers anywhere.

// grouped is a whole number with a comma after every three digits.
export const grouped = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ',');

// plainYuan is an amount as people type it: 1234.50, or 1234.
export function plainYuan(fen) {
  const digits = String(Math.abs(fen)).padStart(3, '0');
  const cents = digits.slice(-2);
  return (fen < 0 ? '-' : '') + digits.slice(0, -2) + (cents === '00' ? '' : '.' + cents);
}

// yuan is an amount as people read it: ¥1,234.50.
export function yuan(fen) {
  const digits = String(Math.abs(fen)).padStart(3, '0');
  return (fen < 0 ? '-' : '') + '¥' + grouped(digits.slice(0, -2)) + '.' + digits.slice(-2);
}

// fenOf reads an amount in yuan, exactly; null where it is none.
export function fenOf(text) {
  const found = /^¥?(\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d{1,2}))?$/.exec(halfWidth(text));
  if (!found) return null;
  const fen = Number(found[1].replaceAll(',', '') + (found[2] ?? '').padEnd(2, '0'));
  return Number.isSafeInteger(fen) ? fen : null;
}

// countOf reads a whole number; null where it is none.
export function countOf(text) {
  const plain = halfWidth(text);
  if (!/^(\d+|\d{1,3}(,\d{3})+)$/.test(plain)) return null;
  const n = Number(plain.replaceAll(',', ''));
  return Number.isSafeInteger(n) ? n : null;
}

// shareOf reads a percentage as a share, by moving the decimal point: 12.5 is 0.125; null where it is none.
export function shareOf(text) {
  const found = /^(\d{1,3})(?:\.(\d{1,7}))?%?$/.exec(halfWidth(text));
  if (!found) return null;
  const whole = found[1].padStart(3, '0');
  return Number(whole.slice(0, -2) + '.' + whole.slice(-2) + (found[2] ?? ''));
}

// percent is a share as a percentage: 0.125 is 12.5.
export function percent(share) {
  const [whole, fraction = ''] = share.toFixed(9).split('.');
  const digits = (whole + fraction.slice(0, 2)).replace(/^0+(?=\d)/, '');
  const rest = fraction.slice(2).replace(/0+$/, '');
  return digits + (rest && '.' + rest);
}

// halfWidth is the text as an input method for Chinese may have written it, in ASCII.
function halfWidth(text) {
  return text.normalize('NFKC').replace(/\s/g, '').replaceAll('。', '.');
}
