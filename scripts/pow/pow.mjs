// node scripts/pow/pow.mjs [SECONDS] checks the solver in JavaScript against gate/testdata/work.json, measures how many
// tries a second one thread makes in plain JavaScript, with node:crypto and with WebCrypto, and says how long work takes.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { firstWord, solveWork, zeroBits } from '../../web/player/work.mjs';

const seconds = Number(process.argv[2] ?? 3); // for each; 0: check only
const native = text => createHash('sha256').update(text).digest().readInt32BE();

function checkVectors() {
  const vectors = JSON.parse(readFileSync(new URL('../../gate/testdata/work.json', import.meta.url)));
  for (const { salt, bits, nonce, zeros } of vectors) {
    const got = solveWork(salt, bits), word = firstWord(salt + nonce);
    if (got !== nonce || word !== native(salt + nonce) || zeroBits(word) !== zeros) {
      throw new Error(`salt ${JSON.stringify(salt)}, ${bits} bits: nonce ${got}, must be ${nonce} with ${zeros} zero bits`);
    }
  }
  console.log(`${vectors.length} vectors agree\n`);
}

function solveNative(salt, bits) {
  for (let nonce = 0; ; nonce++) {
    if (zeroBits(native(salt + nonce)) >= bits) return nonce;
  }
}

// solveWebCrypto has some calls under way at once, for alone each waits for a thread to wake up.
async function solveWebCrypto(salt, bits) {
  const encoder = new TextEncoder();
  for (let nonce = 0; ; nonce += 64) {
    const sums = await Promise.all(Array.from({ length: 64 }, (_, i) => crypto.subtle.digest('SHA-256', encoder.encode(salt + (nonce + i)))));
    const at = sums.findIndex(sum => zeroBits(new DataView(sum).getInt32(0)) >= bits);
    if (at >= 0) return nonce + at;
  }
}

// measure does one work after another, with salts as long as a ticket's. Both clocks are told: on a busy machine that of
// the processor is nearer to what the code can do, but WebCrypto runs on more than one thread.
async function measure(name, solve) {
  const bits = 12;
  for (let i = 0; i < 20; i++) await solve(`warm up ${i}`.padEnd(24), bits);
  let tries = 0;
  const start = performance.now(), used = process.cpuUsage();
  for (let i = 0; performance.now() < start + seconds * 1000; i++) {
    tries += Number(await solve(`salt of a ticket ${i}`.padEnd(24), bits)) + 1;
  }
  const wall = (performance.now() - start) / 1000, { user, system } = process.cpuUsage(used);
  const rate = { name, wall: tries / wall, cpu: tries / (user + system) * 1e6 };
  console.log(`${name.padEnd(17)} ${thousands(rate.wall)} tries a second, ${thousands(rate.cpu)} a second of processor time`);
  return rate;
}

function thousands(n) {
  return Math.round(n).toLocaleString('en').padStart(10);
}

function table(rates) {
  console.log(`\nseconds of processor time expected\nbits ${rates.map(({ name }) => name.padStart(17)).join('')}`);
  for (let bits = 8; bits <= 24; bits += 2) {
    console.log(String(bits).padStart(4) + ' ' + rates.map(({ cpu }) => (2 ** bits / cpu).toPrecision(2).padStart(17)).join(''));
  }
}

checkVectors();
if (seconds > 0) {
  table([
    await measure('plain JavaScript', solveWork),
    await measure('node:crypto', solveNative),
    await measure('WebCrypto', solveWebCrypto),
  ]);
}
