// How long the scripts of the last frames took, for tests and for the curious: window.hongbao.frames().
const kept = 600;
const times = new Float64Array(kept);
let count = 0, falling = 0;

export function measured(ms, envelopes) {
  times[count++ % kept] = ms;
  falling = envelopes;
}

export function forget() {
  count = 0;
}

// frames is {count, falling, p50, p95, max}, in milliseconds.
export function frames() {
  const sorted = Array.from(times.subarray(0, Math.min(count, kept))).sort((a, b) => a - b);
  const at = share => sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] : 0;
  return { count, falling, p50: at(.5), p95: at(.95), max: at(1) };
}
