// Builds the scheduler component of this folder: `npm ci && npm run build [-- FILE.wasm]`.
//
// The componentizer's version is pinned in package.json: another one puts another engine into
// the component. The shim next to it is a package that it uses and does not name.

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { componentize } from '@bytecodealliance/componentize-js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const file = process.argv[2] ?? here('chain.wasm');

const { component } = await componentize({
  sourcePath: here('src/component.js'),
  witPath: here('../../../wit'),
  worldName: 'scheduler',
  // Whatever would bring an import of WASI. Without `random`, chance is fixed, as law 2 needs it.
  disableFeatures: ['stdio', 'random', 'clocks', 'http', 'fetch-event'],
});
await writeFile(file, component);
console.log(`${component.length} bytes are in ${file}`);
