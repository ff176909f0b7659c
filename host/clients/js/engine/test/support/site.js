// The packages, served over plain http with a strict content policy, and Chromium to look at
// them. Where there is no Chromium, its tests are left out, and say so; with
// REFRAIN_WEB=required they fail.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { chromium } from 'playwright-core';

/** The folder that holds both packages. */
const ROOT = new URL('../../../', import.meta.url);

const PROGRAM = process.env.REFRAIN_CHROMIUM ?? '/usr/bin/chromium';

/** A name of this machine that is no secure origin: there, pages have no Web Locks. */
const PLAIN = 'pages.test';

const ARGUMENTS = [
  `--host-resolver-rules=MAP ${PLAIN} 127.0.0.1`,
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** @type {Record<string, string>} */
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.wasm': 'application/wasm',
};

/** Why there is no browser here; false if there is one. */
export const noBrowser =
  existsSync(PROGRAM) || process.env.REFRAIN_WEB === 'required'
    ? false
    : `there is no ${PROGRAM} here; install Chromium, or name it in REFRAIN_CHROMIUM`;

/**
 * Serves the packages. Answers where, and what ends it.
 * @returns {Promise<{origin: string, plainOrigin: string, close: () => Promise<void>}>} `plainOrigin`
 *   is no secure one
 */
export async function serve() {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    try {
      const body = await readFile(new URL(`.${path}`, ROOT));
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  const close = () => new Promise((resolve) => server.close(() => resolve(undefined)));
  return { origin: `http://localhost:${address.port}`, plainOrigin: `http://${PLAIN}:${address.port}`, close };
}

/** A browser with a profile of its own. */
export function launch() {
  return chromium.launch({ executablePath: PROGRAM, args: ARGUMENTS, headless: true });
}
