// The work of a ticket: a nonce such that SHA-256(salt + nonce) begins with that many zero bits, found with no more
// than the language has. A browser's crypto.subtle hashes one short message far slower than this does, for each call
// is a promise. It makes the nonces that gate.SolveWork makes: decimal digits, counting from 0.

// startWork returns a function that makes up to so many tries and returns the nonce, or null when it has not found one
// yet; call it again to go on. A page that works in a worker needs one call, another may work between two frames. At most
// 32 bits.
export function startWork(salt, bits) {
  const text = new TextEncoder().encode(salt);
  const whole = text.length - text.length % 64;
  const state = Int32Array.from(initial);
  const words = new Int32Array(16);
  for (let at = 0; at < whole; at += 64) {
    pack(words, text, at);
    compress(state, words);
  }
  const rest = text.subarray(whole);

  let nonce = 0, layout = null;
  return tries => {
    for (; tries > 0; tries--, nonce++) {
      if (layout === null || nonce === layout.end) layout = lay(rest, text.length, nonce);
      if (zeroBits(layout.hash(state)) >= bits) return String(nonce);
      layout.increment();
    }
    return null;
  };
}

// solveWork returns the nonce; it takes 2^bits tries on average.
export function solveWork(salt, bits) {
  return startWork(salt, bits)(Infinity);
}

// firstWord is the first 32 bits of SHA-256(text), as a signed integer.
export function firstWord(text) {
  const bytes = new TextEncoder().encode(text);
  const padded = pad(bytes, bytes.length);
  const state = Int32Array.from(initial), words = new Int32Array(16);
  for (let at = 0; at < padded.length; at += 64) {
    pack(words, padded, at);
    compress(state, words);
  }
  return state[0];
}

export function zeroBits(word) {
  return Math.clz32(word);
}

// lay puts what is left of the salt and a number into the blocks of a message, where the number can be counted up in place
// as long as it has as many digits.
function lay(rest, saltLength, nonce) {
  const digits = String(nonce);
  const message = new Uint8Array(rest.length + digits.length);
  message.set(rest);
  for (let i = 0; i < digits.length; i++) message[rest.length + i] = digits.charCodeAt(i);
  const padded = pad(message, saltLength + digits.length);
  const blocks = [];
  for (let at = 0; at < padded.length; at += 64) {
    const words = new Int32Array(16);
    pack(words, padded, at);
    blocks.push(words);
  }
  const last = message.length - 1;
  const end = 10 ** digits.length;
  const scratch = new Int32Array(8);

  return {
    end, // the first number that has a digit more
    hash(state) {
      scratch.set(state);
      for (const words of blocks) compress(scratch, words);
      return scratch[0];
    },
    increment() {
      for (let at = last; at >= rest.length; at--) {
        const words = blocks[at >> 6], word = at >> 2 & 15, shift = 24 - (at & 3) * 8;
        if ((words[word] >>> shift & 255) < 57) { // below "9"
          words[word] += 1 << shift;
          return;
        }
        words[word] -= 9 << shift;
      }
    },
  };
}

// pad ends a message of so many bytes in all, of which these are the last, as SHA-256 asks.
function pad(bytes, length) {
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  new DataView(padded.buffer).setUint32(padded.length - 4, length * 8);
  return padded;
}

// pack reads the block at a place of bytes as 16 words, big endian.
function pack(words, bytes, at) {
  for (let i = 0; i < 16; i++, at += 4) {
    words[i] = bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3];
  }
}

// The constants of SHA-256 (FIPS 180-4): the first 32 bits of the fractions of the square roots of the first 8 primes and
// of the cube roots of the first 64.
const initial = Int32Array.of(
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19);
const round = Int32Array.of(
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2);
const schedule = new Int32Array(64);

// compress is the compression function of SHA-256.
function compress(state, words) {
  const w = schedule, k = round;
  for (let i = 0; i < 16; i++) w[i] = words[i];
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15], y = w[i - 2];
    w[i] = w[i - 16] + w[i - 7]
      + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3)
      + ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10) | 0;
  }
  let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
  for (let i = 0; i < 64; i++) {
    const t = h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + (g ^ e & (f ^ g)) + k[i] + w[i] | 0;
    const u = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b | c & (a | b)) | 0;
    h = g; g = f; f = e; e = d + t | 0;
    d = c; c = b; b = a; a = t + u | 0;
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d;
  state[4] += e; state[5] += f; state[6] += g; state[7] += h;
}
