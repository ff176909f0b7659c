// What the tests of the pages need: browsers, and the program `refrain`. Where one of them
// cannot be had, its tests are left out, unless REFRAIN_WEB=required asks for them.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

import { chromium, firefox } from 'playwright-core';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const PROGRAM = process.env.REFRAIN_PROGRAM ?? join(ROOT, 'target/debug/refrain');

/** What keeps Chromium from asking anybody for anything. */
const QUIET = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** @typedef {'chromium' | 'firefox'} BrowserName */

/** Where each browser may stand, the one that is asked for first, and how it is started. */
const BROWSERS = {
  chromium: {
    named: 'Chromium (or REFRAIN_CHROMIUM)',
    path: [process.env.REFRAIN_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(isThere),
    launch: (/** @type {string | undefined} */ executablePath) => chromium.launch({ executablePath, args: QUIET }),
  },
  firefox: {
    named: 'Firefox (or REFRAIN_FIREFOX)',
    path: [process.env.REFRAIN_FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox'].find(isThere),
    // By this channel Firefox is driven as it is, through WebDriver BiDi.
    launch: (/** @type {string | undefined} */ executablePath) => firefox.launch({ executablePath, channel: 'moz-firefox' }),
  },
};

/** @param {string | undefined} path */
function isThere(path) {
  return path !== undefined && existsSync(path);
}

/**
 * Why the tests in this browser are left out. `false` if they are not.
 * @param {BrowserName} name
 */
function lacking(name) {
  const missing = [
    ...(BROWSERS[name].path === undefined ? [BROWSERS[name].named] : []),
    ...(existsSync(PROGRAM) ? [] : [`${PROGRAM} (cargo build, or REFRAIN_PROGRAM)`]),
  ];
  return missing.length > 0 && process.env.REFRAIN_WEB !== 'required' ? `there is no ${missing.join(', and no ')}` : false;
}

/** Why the tests in Chromium are left out. `false` if they are not. */
export const skip = lacking('chromium');

/** Why the tests in Firefox are left out. `false` if they are not. */
export const skipFirefox = lacking('firefox');

const folder = mkdtempSync(join(tmpdir(), 'refrain-web-'));
/** The browsers that run. @type {Map<BrowserName, Promise<import('playwright-core').Browser>>} */
const browsers = new Map();

/**
 * A browser with a profile of its own, the same for all tests.
 * @param {BrowserName} name
 */
function running(name) {
  const { path, launch } = BROWSERS[name];
  const browser = browsers.get(name) ?? launch(path);
  browsers.set(name, browser);
  return browser;
}

after(async () => {
  for (const browser of browsers.values()) await (await browser).close();
  rmSync(folder, { recursive: true });
});

/**
 * A file of the tests' own folder.
 * @param {string} name
 * @param {string | Uint8Array} [content] Written, if given.
 */
export function file(name, content = undefined) {
  const path = join(folder, name);
  if (content !== undefined) writeFileSync(path, content);
  return path;
}

/**
 * Types `refrain` and these words, in the repository's root.
 * @param {...string} words
 * @returns {string} What it says.
 */
export function refrain(...words) {
  const env = { ...process.env, REFRAIN_DB: join(folder, 'refrain.db') };
  const said = spawnSync(PROGRAM, words, { cwd: ROOT, env, encoding: 'utf8', maxBuffer: 1 << 28, timeout: 120_000 });
  assert.ok(said.status === 0 || said.status === 1, `refrain ${words.join(' ')}: ${said.stderr}`);
  return said.stdout;
}

/**
 * The path of a golden log.
 * @param {string} name
 */
export function golden(name) {
  const folders = join(ROOT, 'tests/golden');
  const found = readdirSync(folders).map((it) => join(folders, it, `${name}.ndjson`)).find(existsSync);
  assert.ok(found, name);
  return found;
}

/**
 * A report of a log in a file.
 * @param {string} log
 * @param {...string} options
 * @returns {string} Its path.
 */
export function report(log, ...options) {
  const path = file(`report-${Math.random().toString(36).slice(2)}.html`);
  refrain('report', '--file', log, '-o', path, ...options);
  return path;
}

/** A page that notes all that a browser complains about. */
export class Tab {
  /** @type {string[]} */
  complaints = [];

  /** @param {import('playwright-core').Page} page */
  constructor(page) {
    this.page = page;
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('requestfailed', (request) => this.complaints.push(`${request.url()} failed`));
    page.on('dialog', (dialog) => {
      this.complaints.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
  }

  /**
   * Opens an address, in a browser window of this width.
   * @param {string} address
   * @param {{width?: number, height?: number, browser?: BrowserName}} [how]
   */
  static async open(address, { width = 1280, height = 900, browser = 'chromium' } = {}) {
    const tab = new Tab(await (await running(browser)).newPage({ viewport: { width, height } }));
    await tab.page.goto(address);
    return tab;
  }

  /**
   * Opens a report from its file.
   * @param {string} path
   * @param {string} [place]
   * @param {{browser?: BrowserName}} [how]
   */
  static report(path, place = '', how = {}) {
    return Tab.open(`file://${path}${place}`, how);
  }

  /** The verdict, once there is one. */
  async verdict() {
    await this.page.waitForSelector('#verdict:not([data-verdict=""])[data-verdict]', { timeout: 60_000 });
    return this.page.getAttribute('#verdict', 'data-verdict');
  }

  /**
   * Goes behind an event by the slider, and waits until its scheduler has said what it was like.
   * @param {number} sequence
   */
  async slide(sequence) {
    await this.page.fill('#slider', String(sequence));
    await this.settled(sequence);
  }

  /**
   * Waits until all of the page is of this place.
   * @param {number} sequence
   */
  async settled(sequence) {
    await this.page.waitForSelector(`#state[data-sequence="${sequence}"]:not(.waits)`, { timeout: 30_000, state: 'attached' });
  }

  /**
   * The state that is shown, and those of the nodes in the graph. What is asked is attributes:
   * to run code of texts, a page's content policy would have to let it.
   */
  async seen() {
    const state = (await this.page.getAttribute('#state', 'data-state')) ?? '';
    /** @type {Record<string, string | undefined>} */
    const nodes = {};
    for (const node of await this.page.locator('#graph g.node').all()) {
      const classes = ((await node.getAttribute('class')) ?? '').split(' ');
      nodes[(await node.getAttribute('data-node')) ?? ''] = classes.find((it) => it.startsWith('state-'))?.slice('state-'.length);
    }
    return { state, nodes };
  }

  /** Nothing was complained about. */
  async close() {
    await this.page.close();
    assert.deepEqual(this.complaints, []);
  }
}
