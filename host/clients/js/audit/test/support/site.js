// The repository over plain http with a strict content policy, and Chromium to look at it.
// Where there is no Chromium, its tests are left out, and say so; with REFRAIN_WEB=required
// they fail.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { chromium } from 'playwright-core';

const ROOT = new URL('../../../../../../', import.meta.url);

const PROGRAM = process.env.REFRAIN_CHROMIUM ?? '/usr/bin/chromium';

/** No code but that of the site, and WebAssembly. */
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'";

/** @type {{[extension: string]: string}} */
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8' };

/** Why there is no browser here; false if there is one. */
export const noBrowser =
  existsSync(PROGRAM) || process.env.REFRAIN_WEB === 'required'
    ? false
    : `there is no ${PROGRAM} here; install Chromium, or name it in REFRAIN_CHROMIUM`;

/**
 * Serves the repository. Answers where, and what ends it; `extra` are files besides, by path.
 * @param {Map<string, Uint8Array>} extra
 */
export async function serve(extra) {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    try {
      const body = extra.get(path) ?? (await readFile(new URL(`.${path}`, ROOT)));
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

/** A browser with a profile of its own. */
export function launch() {
  return chromium.launch({ executablePath: PROGRAM, args: ['--no-sandbox', '--disable-gpu'], headless: true });
}
