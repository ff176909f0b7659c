// The audit page over http.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../../', import.meta.url));

/** @type {Record<string, string>} */
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm' };

/**
 * Serves the folder `host` as any server of files does. Answers where the audit page is, and
 * what ends it.
 * @returns {Promise<{address: string, close: () => void}>}
 */
export function served() {
  const server = createServer((request, response) => {
    const path = join(FOLDER, normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname)));
    if (!existsSync(path) || !statSync(path).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(readFileSync(path));
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      // A test that fails keeps no other waiting.
      server.unref();
      resolve({ address: `http://127.0.0.1:${port}/web/audit.html`, close: () => server.close() });
    });
  });
}
