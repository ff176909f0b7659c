// The repository over plain http with a strict content policy, and browsers to look at it.
// Where a browser is not there, its tests are left out, and say so; with REFRAIN_WEB=required
// they fail.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { chromium, firefox } from 'playwright-core';

const ROOT = new URL('../../../../../../', import.meta.url);

/** Where each browser is, and how it is started with a profile of its own. */
export const BROWSERS = {
  Chromium: browser(process.env.REFRAIN_CHROMIUM ?? '/usr/bin/chromium', 'REFRAIN_CHROMIUM', (executablePath) =>
    chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] }),
  ),
  // By this channel Firefox is driven as it is, through WebDriver BiDi.
  Firefox: browser(process.env.REFRAIN_FIREFOX ?? '/usr/bin/firefox-esr', 'REFRAIN_FIREFOX', (executablePath) =>
    firefox.launch({ executablePath, channel: 'moz-firefox' }),
  ),
};

/**
 * A browser, or in `lacking` why it is not here; `false` if it is.
 * @param {string} path
 * @param {string} variable
 * @param {(path: string) => Promise<import('playwright-core').Browser>} start
 */
function browser(path, variable, start) {
  const isHere = existsSync(path) || process.env.REFRAIN_WEB === 'required';
  const lacking = isHere ? /** @type {const} */ (false) : `there is no ${path} here; install it, or name it in ${variable}`;
  return { lacking, launch: () => start(path) };
}

/** No code but that of the site, and WebAssembly. */
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'";

/** @type {{[extension: string]: string}} */
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8' };

/**
 * Serves the repository. Answers where, and what ends it.
 * @param {Map<string, Uint8Array>} extra Files besides, by path.
 * @param {string} [kit] A folder besides, at `/kit/`.
 */
export async function serve(extra, kit = undefined) {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    try {
      const isOfKit = kit !== undefined && path.startsWith('/kit/');
      const file = isOfKit ? join(kit, path.slice('/kit/'.length)) : new URL(`.${path}`, ROOT);
      const body = extra.get(path) ?? (await readFile(file));
      const type = TYPES[extname(path)] ?? 'application/octet-stream';
      response.writeHead(200, { 'content-type': type, 'content-security-policy': POLICY }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { origin: `http://localhost:${port}`, close: () => server.close() };
}
