// One request to the admin API of the server that this page came from.

// Problem is why a request did not succeed: the server's own problem, or that the server was not reached.
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? '');
    this.status = status;
    this.code = body.code ?? 'other';
    this.detail = body.detail ?? '';
    this.field = body.field;
    this.leastTotalFen = body.least_total_fen;
    this.leastCount = body.least_count;
  }
}

// request asks for a path below the page's own. It returns the Response, or throws a Problem; where it was aborted, the
// AbortError.
export async function request(method, path, { token, body, type = 'application/json', headers = {}, signal } = {}) {
  const all = { ...headers };
  if (token) all.Authorization = 'Bearer ' + token;
  if (body !== undefined) all['Content-Type'] = type;
  let response;
  try {
    response = await fetch(new URL(path, document.baseURI), { method, body, headers: all, signal, cache: 'no-store', credentials: 'omit' });
  } catch (failure) {
    if (failure.name === 'AbortError') throw failure;
    throw new Problem(0, { code: 'unreachable', detail: '' });
  }
  if (response.ok) return response;
  throw new Problem(response.status, await response.json().catch(() => ({ detail: `HTTP ${response.status}` })));
}
