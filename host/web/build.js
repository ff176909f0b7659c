// Writes the scripts of the pages as they stand in a report: one file each, of the project's
// own modules only. With `--check`, only says whether they are what the sources build to.

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build, version } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const SCRIPT = resolve(here, 'built/report.js');
const STAMP = resolve(here, 'built/stamp.json');
/** What the published package says of the script of reports. */
const PUBLISHED = resolve(here, '../clients/js/audit/report.json');

/** @param {string | Uint8Array} of */
const sha256 = (of) => createHash('sha256').update(of).digest('hex');

/** The script of a report, and the digest of each file that it is made of. */
async function built() {
  const result = await build({
    entryPoints: [resolve(here, 'report/main.js')],
    absWorkingDir: here,
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    charset: 'ascii',
    // What is for Node alone is never asked for in a browser.
    external: ['*/node/spawn.js'],
    logOverride: { 'empty-import-meta': 'silent' },
    legalComments: 'none',
    metafile: true,
    write: false,
  });
  const script = result.outputFiles[0].contents;
  const inputs = Object.keys(result.metafile.inputs).sort();
  const sources = Object.fromEntries(inputs.map((path) => [relative(here, resolve(here, path)), sha256(readFileSync(resolve(here, path)))]));
  return { script, stamp: { esbuild: version, script: sha256(script), sources } };
}

const { script, stamp } = await built();
const text = `${JSON.stringify(stamp, null, 2)}\n`;
const published = `${JSON.stringify({ script: { sha256: stamp.script } })}\n`;
if (process.argv.includes('--check')) {
  const isSame = sha256(readFileSync(SCRIPT)) === stamp.script && readFileSync(STAMP, 'utf8') === text && readFileSync(PUBLISHED, 'utf8') === published;
  if (!isSame) {
    console.error('host/web/built is not what its sources build to: run `npm run build` in host/web and commit what it writes');
    process.exitCode = 1;
  }
} else {
  writeFileSync(SCRIPT, script);
  writeFileSync(STAMP, text);
  writeFileSync(PUBLISHED, published);
  console.log(`built/report.js: ${script.length} bytes, ${stamp.script}`);
}
