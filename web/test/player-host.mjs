// A company's page that shows the player page in a frame, and a server that takes the company's tokens.
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { after } from 'node:test';
import { start } from './harness.mjs';

const secret = 'a-secret-of-the-company-that-is-long-enough';
const host = createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end('<!doctype html><meta charset="utf-8"><title>the app</title><body style="margin:0"><iframe title="play" style="border:0;width:390px;height:800px"></iframe>');
});
await new Promise(done => { host.listen(0, '127.0.0.1', done); });
after(() => host.close());

export const app = `http://127.0.0.1:${host.address().port}`;
export const signed = await start({ config: `player: {auth: jwt, jwt: {key: ${secret}}, cors_origins: ["${app}"]}\n` });

// token is a player's, good for so many seconds from now; fewer than none: it has ended.
export function token(uid, seconds) {
  const part = value => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: String(uid), iat: now - 600, exp: now + seconds })}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}
