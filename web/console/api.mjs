// The admin API as whoever is signed in asks it. A token that is refused is waited out: what was asked goes on with the next.
import { again, currentToken } from './session.mjs';
import { request } from './request.mjs';

async function asked(method, path, options) {
  for (;;) {
    const token = currentToken();
    try {
      return await request(method, 'admin/v1/' + path, { ...options, token });
    } catch (problem) {
      if (problem.status !== 401) throw problem;
      await again(token);
    }
  }
}

// read is the JSON at a path, with its ETag as etag.
export async function read(path, options) {
  const response = await asked('GET', path, options);
  return withTag(response);
}

// send changes something, with the revision it was made from where there is one.
export async function send(method, path, value, { ifMatch, ...options } = {}) {
  const headers = ifMatch ? { 'If-Match': ifMatch } : {};
  const body = value === undefined ? undefined : JSON.stringify(value);
  return withTag(await asked(method, path, { ...options, body, headers }));
}

// sendText sends what is not JSON.
export async function sendText(method, path, body, type) {
  return withTag(await asked(method, path, { body, type }));
}

async function withTag(response) {
  const text = await response.text();
  const value = text === '' ? {} : JSON.parse(text);
  const etag = response.headers.get('ETag');
  return etag && !Array.isArray(value) ? { ...value, etag } : value;
}

// lines are the objects of an answer that has one on each line.
export async function lines(path, options) {
  const text = await (await asked('GET', path, options)).text();
  return text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

// download keeps an answer in a file. The token goes in a header, so that a plain link won't do. A large body is kept on disk
// by the browser, not in the page's memory.
export async function download(path, name) {
  const blob = await (await asked('GET', path)).blob();
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser has begun to write by then
}

// query is a query string of the parameters that are not empty.
export function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== '' && value !== undefined && value !== null);
  return given.length === 0 ? '' : '?' + new URLSearchParams(given);
}

// ready is what /readyz tells, whatever its status.
export async function ready() {
  const response = await fetch(new URL('readyz', document.baseURI), { cache: 'no-store', credentials: 'omit' });
  return response.json();
}
