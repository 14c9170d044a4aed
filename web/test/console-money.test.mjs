// Amounts in the console are exact to the fen, however large.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countOf, fenOf, percent, plainYuan, shareOf, yuan } from '../console/money.mjs';

test('amounts are shown to the fen', () => {
  for (const [fen, text] of [[0, '¥0.00'], [1, '¥0.01'], [99, '¥0.99'], [100000, '¥1,000.00'], [10 ** 12, '¥10,000,000,000.00'], [2 ** 53 - 1, '¥90,071,992,547,409.91'], [-5, '-¥0.05']]) {
    assert.equal(yuan(fen), text);
  }
});

test('what is typed is read exactly, as a Chinese keyboard writes it too', () => {
  for (const [text, fen] of [
    ['0.01', 1], ['1', 100], ['1.1', 110], ['1.10', 110], ['1,000', 100000], ['¥1,000.00', 100000], ['￥12', 1200], ['１２．５', 1250], ['12。5', 1250],
    [' 1 000 ', 100000], ['4.35', 435], ['1.15', 115], ['8.7', 870], ['90071992547409.91', 2 ** 53 - 1],
  ]) {
    assert.equal(fenOf(text), fen, text);
  }
  for (const text of ['', '.', '1.', '.5', '1.234', '1,00', '-1', '1e3', 'x', '1.2.3', '0x10', '90071992547409.92']) assert.equal(fenOf(text), null, text);
});

test('an amount that is shown for typing is read as itself', () => {
  for (let fen = 1; fen < 10 ** 12; fen = fen * 7 + 3) assert.equal(fenOf(plainYuan(fen)), fen);
});

test('counts are whole numbers', () => {
  assert.equal(countOf('1,000'), 1000);
  assert.equal(countOf('４２'), 42);
  for (const text of ['', '1.0', '-1', '1e3', '1,0']) assert.equal(countOf(text), null, text);
});

test('a share is a percentage without rounding', () => {
  for (const [text, share] of [['20', 0.2], ['12.5', 0.125], ['100', 1], ['0.1', 0.001], ['0.0000001', 1e-9], ['7%', 0.07], ['29', 0.29]]) {
    assert.equal(shareOf(text), share, text);
    assert.equal(percent(share), text.replace('%', ''));
  }
  for (const text of ['', 'x', '1.23456789', '-1']) assert.equal(shareOf(text), null, text);
});
