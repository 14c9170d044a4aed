// The real program and a real browser, for tests of the pages.
//
//   const world = await start({ config: 'campaigns: [...]' });
//   test('a rain is played', async t => {
//     const page = await world.newPage(t, { language: 'zh-CN', device: 'phone' });
//     …
//   });
//
// One server and one browser serve all tests of a file; both end with it. A page fails its test for an error in the console
// that was not announced (allow), for any breach of the policy, and for any request to another server.
//
// HONGBAO_BIN is the program (default: built from the sources), CHROMIUM the browser (default: /usr/bin/chromium).
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const screenshots = fileURLToPath(new URL('screenshots/', import.meta.url));

// What is started ends in handlers of exit.
process.once('SIGTERM', () => process.exit(1));

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const devices = {
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
  desktop: { viewport: { width: 1280, height: 800 } },
};

// start starts a server and a browser, which end with the file's tests. Config is the text of a config file, flags are
// further ones, such as '--demo'; token is that of an operator, where the config has tokens.
export async function start({ config = '', flags = [], token } = {}) {
  const world = new World(config, flags, token);
  after(() => world.end());
  await world.serve();
  return world;
}

class World {
  player = ''; // URLs, without a slash at the end
  admin = '';
  console = ''; // the link for people, with its one-time code where there is one

  #folder = mkdtempSync(join(tmpdir(), 'hongbao-web-'));
  #program;
  #args;
  #token;
  #process;
  #log = '';
  #browser;

  constructor(config, flags, token) {
    this.#token = token;
    this.#args = ['serve', '--json', '--data', join(this.#folder, 'data'), ...flags];
    if (config) {
      const file = join(this.#folder, 'hongbao.yaml');
      writeFileSync(file, config);
      this.#args.push('--config', file);
    }
    this.#program = process.env.HONGBAO_BIN || build(this.#folder);
  }

  // serve starts the server: on free ports, or where it was before. It returns once players can come.
  async serve() {
    const port = url => url ? new URL(url).port : 0;
    this.#process = spawn(this.#program, [...this.#args,
      `--player.listen=127.0.0.1:${port(this.player)}`, `--admin.listen=127.0.0.1:${port(this.admin)}`],
    { stdio: ['ignore', 'pipe', 'pipe'], cwd: this.#folder });
    process.once('exit', this.#killAtExit);
    this.#process.stderr.on('data', text => { this.#log += text; });
    const [line] = await firstOf(createInterface(this.#process.stdout), 'line', this.#process);
    if (!line) throw new Error(`the server did not start:\n${this.#log}`);
    const greeting = JSON.parse(line);
    this.player = greeting.player;
    this.admin = greeting.admin;
    this.console = greeting.console ?? `${greeting.admin}/`;
  }

  #killAtExit = () => {
    this.#process.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  };

  // stop ends the server as an operator does, kill as a power cut does; restart is kill and serve on the same ports.
  async stop() { await this.#endProcess('SIGTERM'); }
  async kill() { await this.#endProcess('SIGKILL'); }
  async restart() {
    await this.kill();
    await this.serve();
  }

  async #endProcess(signal) {
    const ended = this.#process.exitCode ?? this.#process.signalCode;
    if (ended === null) {
      const exit = new Promise(resolve => this.#process.once('exit', resolve));
      this.#process.kill(signal);
      await exit;
    }
    process.removeListener('exit', this.#killAtExit);
  }

  get log() { return this.#log; }
  get token() { return this.#token ?? readFileSync(join(this.#folder, 'data', 'admin.token'), 'utf8').trim(); }

  async end() {
    await (await this.#browser)?.close();
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  // ask sends a request to a port and returns {status, header, body}; objects are sent as JSON, JSON comes back parsed.
  async ask(method, url, { body, headers = {} } = {}) {
    if (body !== undefined && typeof body !== 'string') {
      body = JSON.stringify(body);
      headers = { 'Content-Type': 'application/json', ...headers };
    }
    const answer = await fetch(url, { method, body, headers });
    const text = await answer.text();
    const isJSON = /json/.test(answer.headers.get('Content-Type'));
    return { status: answer.status, header: answer.headers, body: isJSON && text ? JSON.parse(text) : text };
  }

  // play asks the player port as a player; path as in '/v1/wallet'.
  play(uid, method, path, options = {}) {
    return this.ask(method, this.player + path, { ...options, headers: { 'X-Player-Id': String(uid), ...options.headers } });
  }

  // administer asks the admin port and returns the answer's body; path as in '/campaigns/1'. What is no success throws.
  async administer(method, path, { body, headers = {} } = {}) {
    const answer = await this.ask(method, `${this.admin}/admin/v1${path}`,
      { body, headers: { Authorization: `Bearer ${this.token}`, ...headers } });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  // createCampaign makes a campaign from the keys of the config file and returns it.
  createCampaign(spec) { return this.administer('POST', '/campaigns', { body: spec }); }
  campaign(id) { return this.administer('GET', `/campaigns/${id}`); }
  cancel(id) { return this.administer('POST', `/campaigns/${id}/cancel`); }
  signUp(id, uids) { return this.administer('POST', `/campaigns/${id}/signups`, { body: { uids } }); }
  async revise(id, patch) {
    const { revision } = await this.campaign(id);
    return this.administer('PATCH', `/campaigns/${id}`, { body: patch, headers: { 'If-Match': `"${revision}"` } });
  }

  // newPage opens a page in a browser profile of its own (or in that of another page: `beside`), and closes it with the test.
  //   at: 'player' or 'console'; path, fragment: what follows the port; open: false leaves the page blank
  //   language: 'en' or 'zh-CN'; device: 'phone' or 'desktop'; reducedMotion: true
  //   allow: patterns of console errors that the test provokes; origins: further ones that may be asked
  //   context: further options of playwright's
  async newPage(t, {
    at = 'player', path = '/', fragment = '', open = true, language = 'en', device = at === 'player' ? 'phone' : 'desktop',
    reducedMotion = false, allow = [], origins = [], beside, context: more = {},
  } = {}) {
    const context = beside?.context() ?? await this.#newContext({
      ...devices[device], locale: language === 'en' ? 'en-US' : language, timezoneId: 'Asia/Shanghai',
      reducedMotion: reducedMotion ? 'reduce' : 'no-preference', ...more,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000); // a machine may be busy
    const watch = new Watch(page, allow, [this.player, this.admin, ...origins]);
    watches.set(page, watch);
    t.after(async () => {
      await (beside ? page : context).close();
      watch.check();
    });
    if (open) await page.goto(this[at === 'player' ? 'player' : 'admin'] + path + (fragment && `#${fragment}`));
    return page;
  }

  async #newContext(options) {
    this.#browser ??= chromium.launch({
      executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
    const context = await (await this.#browser).newContext(options);
    await context.addInitScript(() => {
      addEventListener('securitypolicyviolation', e => console.error(`policy breached: ${e.violatedDirective} ${e.blockedURI}`));
    });
    return context;
  }
}

// firstOf waits for an event of an emitter, or for the end of the process behind it.
function firstOf(emitter, event, child) {
  return new Promise(resolve => {
    emitter.once(event, (...args) => resolve(args));
    child.once('exit', () => resolve([]));
    child.once('error', () => resolve([]));
  });
}

function build(folder) {
  const program = join(folder, 'hongbao');
  execFileSync('go', ['build', '-buildvcs=false', '-o', program, './cmd/hongbao'], { cwd: repository, stdio: 'inherit' });
  return program;
}

const watches = new WeakMap();

// Watch takes down what a page should not do.
class Watch {
  #faults = [];
  #allowed;

  constructor(page, allow, origins) {
    this.#allowed = [...allow];
    page.on('console', message => {
      if (message.type() === 'error') this.#fault(`${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', error => this.#fault(error.stack || String(error)));
    page.on('request', request => {
      const { protocol, origin } = new URL(request.url());
      if (!['data:', 'blob:', 'about:'].includes(protocol) && !origins.includes(origin)) {
        this.#faults.push(`asks another server: ${request.url()}`);
      }
    });
  }

  #fault(text) {
    const breach = /policy breached|Content.Security.Policy/.test(text);
    if (breach || !this.#allowed.some(pattern => pattern.test(text))) this.#faults.push(text);
  }

  allow(pattern) { this.#allowed.push(pattern); }
  check() { assert.equal(this.#faults.length, 0, `the page does what it should not:\n${this.#faults.join('\n')}`); }
}

// allow announces errors in a page's console that match a pattern, such as /status of 401/: from now on they are no fault.
export function allow(page, pattern) { watches.get(page).allow(pattern); }

// checkPage fails for what a page has done so far; else that is looked at when its test ends.
export function checkPage(page) { watches.get(page).check(); }

// screenshot writes screenshots/NAME.png.
export async function screenshot(page, name, options = {}) {
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`), ...options });
}

// axe fails for what axe-core finds wrong with a page; options are axe.run's.
export async function axe(page, options = {}) {
  if (await page.evaluate(() => !window.axe)) await page.evaluate(axeSource); // the policy forbids a script that is not the page's, but not what a debugger does
  const violations = await page.evaluate( // of the rest only what is needed to find them
    async options => (await window.axe.run(document, { resultTypes: ['violations'], ...options })).violations, options);
  const list = violations.map(v => [
    `${v.impact}: ${v.help} (${v.id})`,
    ...v.nodes.map(n => `    ${n.target.join(' ')}: ${(n.failureSummary || '').replace(/\s+/g, ' ')}`),
  ].join('\n'));
  assert.equal(list.join('\n'), '', `accessibility of ${page.url()}:\n${list.join('\n')}`);
}

// until waits until a condition holds that no page tells of, such as one of the admin port.
export async function until(what, holds, seconds = 15) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const got = await holds();
    if (got) return got;
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
