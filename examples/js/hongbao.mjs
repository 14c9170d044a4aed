// A client of hongbao's player port for Node 18 and for browsers, to be copied into a product. It plays for one player.
//
// Every request is repeated until there is an answer or its signal ends it: whatever is asked of hongbao may be asked again,
// a snatch with the same key.

// Refusal is an answer that stands: asking again would not change it.
export class Refusal extends Error {
  constructor(status, { code = '', detail = '' } = {}) {
    super(`HTTP ${status} ${code}: ${detail}`);
    Object.assign(this, { name: 'Refusal', status, code, detail }); // codes are those of the table of errors in docs/api.md
  }
}

// newKey makes a key for one snatch: for one tap of a finger, however often it has to be sent. It need not be secret, only
// another than the player's others.
export function newKey() {
  const part = () => Math.random().toString(36).slice(2, 12);
  return `${Date.now().toString(36)}-${part()}${part()}`;
}

export class Client {
  #url; #identify; #tryFor;

  // url is the player port's. identify returns headers that say who plays: Authorization, or X-Player-Id where a gateway in
  // front is trusted; it is asked each time, so that a token may be renewed. tryFor is how long one try may take, in ms.
  constructor(url, identify = () => ({}), { tryFor = 3000 } = {}) {
    this.#url = url;
    this.#identify = identify;
    this.#tryFor = tryFor;
  }

  // snatch asks for an envelope and returns {status, envelope_id, wins, wins_max, …}. When it throws anything but a Refusal the
  // outcome is unknown: the player may have won. Keep the key, and call it again with the same one to learn; with another,
  // it would be another snatch.
  snatch(campaign, key, { signal } = {}) {
    return this.#ask('POST', `/v1/campaigns/${encodeURIComponent(campaign)}/snatch`, { 'Idempotency-Key': key }, signal);
  }

  // open credits an envelope to the wallet and returns {status, amount_fen, balance_fen, first}. Opening again changes
  // nothing and tells the amount again.
  open(envelope, { signal } = {}) {
    return this.#ask('POST', `/v1/envelopes/${encodeURIComponent(envelope)}/open`, {}, signal);
  }

  // wallet reads the page at a cursor, newest envelope first: {balance_fen, envelopes, next}.
  wallet(cursor = '', { signal } = {}) {
    return this.#ask('GET', `/v1/wallet?limit=200&cursor=${encodeURIComponent(cursor)}`, {}, signal);
  }

  // envelopes are all of the player's, page by page.
  async *envelopes({ signal } = {}) {
    let cursor = '';
    do {
      const page = await this.wallet(cursor, { signal });
      yield* page.envelopes;
      cursor = page.next;
    } while (cursor);
  }

  // events are what the server tells everybody, as {id, event, data}: those after the event `last`, or else from now on.
  // It connects again whenever the connection breaks or falls silent, and asks for what it has missed; none comes twice.
  // (A browser's EventSource does the same, but can't send headers.)
  async *events({ last = 0, signal } = {}) {
    const stream = { last, pause: 1000 };
    for (;;) {
      try {
        yield* this.#read(stream, signal);
      } catch (error) {
        if (error instanceof Refusal || signal?.aborted) throw error;
      }
      await sleep(stream.pause * (1 + Math.random()) / 2, signal);
    }
  }

  // read tells the events of one connection.
  async *#read(stream, signal) {
    const silence = 40_000; // the server sends something every 15 s
    const limit = limited(silence, signal);
    try {
      const since = stream.last ? { 'Last-Event-ID': String(stream.last) } : {};
      const answer = await this.#send('GET', '/v1/events', { Accept: 'text/event-stream', ...since }, limit.signal);
      if (answer.status !== 200) throw problem(answer.status, await answer.text());
      const decoder = new TextDecoder();
      const reader = answer.body.getReader();
      let text = '';
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        limit.again();
        text += decoder.decode(value, { stream: true });
        const frames = text.split('\n\n');
        text = frames.pop(); // it may not have come whole
        for (const frame of frames) {
          const event = parse(frame, stream);
          if (event) yield event;
        }
      }
    } finally {
      limit.end();
    }
  }

  // ask sends a request until it is answered, a refusal stands, or the signal ends it.
  async #ask(method, path, headers, signal) {
    for (let tries = 1; ; tries++) {
      let after = 0;
      const limit = limited(this.#tryFor, signal);
      try {
        const answer = await this.#send(method, path, headers, limit.signal);
        after = retryAfter(answer);
        const body = await answer.text();
        if (answer.status === 200) return JSON.parse(body);
        throw problem(answer.status, body);
      } catch (error) { // what is no refusal: it may have arrived
        if (error instanceof Refusal || signal?.aborted) throw error;
      } finally {
        limit.end();
      }
      await sleep(after + backOff(tries), signal);
    }
  }

  #send(method, path, headers, signal) {
    return fetch(this.#url + path, { method, headers: { ...this.#identify(), ...headers }, cache: 'no-store', signal });
  }
}

// parse reads a frame. One that was told before, or is there only to be heard, is none; one that is an id and nothing more
// says where the server stands, and from where on to ask later: that is before what was told where its data are new, or were
// restored from an older copy.
function parse(frame, stream) {
  let id = 0, stands = false, event = '', data = '';
  for (const line of frame.split('\n')) {
    const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (name === 'id') [id, stands] = [Number(value) || 0, true];
    if (name === 'event') event = value;
    if (name === 'data') data += value;
    if (name === 'retry') stream.pause = Math.max(Number(value), 1000) || stream.pause;
  }
  const known = id > 0 && id <= stream.last;
  if (!data && stands) stream.last = id;
  if (known || !data) return null;
  stream.last = Math.max(stream.last, id);
  return { id, event, data: JSON.parse(data) };
}

// problem reads an error. Of one that is not hongbao's, but a gateway's, only the status is known.
function problem(status, body) {
  let told = {};
  try { told = JSON.parse(body); } catch { /* a page, perhaps */ }
  const retryable = told.code ? told.retryable : status >= 500;
  return retryable ? new Error(`HTTP ${status} ${told.code ?? ''}`) : new Refusal(status, told);
}

function retryAfter(answer) {
  const seconds = Number(answer.headers.get('Retry-After'));
  return seconds > 0 ? seconds * 1000 : 0;
}

// backOff spreads the tries of a crowd that was turned away at one moment: half of it is chance.
function backOff(tries) {
  const most = Math.min(100 * 2 ** (tries - 1), 5000);
  return most * (1 + Math.random()) / 2;
}

// limited is a signal that ends after so many ms, or with another.
function limited(ms, outer) {
  const own = new AbortController();
  const abort = () => own.abort(outer?.reason ?? new Error(`no answer within ${ms} ms`));
  let timer = setTimeout(abort, ms);
  outer?.addEventListener('abort', abort);
  if (outer?.aborted) abort();
  return {
    signal: own.signal,
    again() { clearTimeout(timer); timer = setTimeout(abort, ms); },
    end() { clearTimeout(timer); outer?.removeEventListener('abort', abort); own.abort(); },
  };
}

function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    const end = () => { clearTimeout(timer); reject(signal.reason); };
    const timer = setTimeout(() => { signal?.removeEventListener('abort', end); resolve(); }, ms);
    signal?.addEventListener('abort', end, { once: true });
    if (signal?.aborted) end();
  });
}
