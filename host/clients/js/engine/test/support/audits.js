// Logs are audited: by the program `refrain`, where REFRAIN_PROGRAM names it, and by
// @refrain/audit.

import { auditAll } from '@refrain/audit';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The scheduler that comes with the package. */
export const COMPONENT = new Uint8Array(
  readFileSync(new URL('../../component/refrain-scheduler.wasm', import.meta.url)),
);

/**
 * Every log must be clean.
 * @param {string[]} logs
 */
export async function mustBeClean(logs) {
  for (const { verdict, divergence } of await auditAll(logs, { components: [COMPONENT] })) {
    assert.equal(verdict, 'clean', JSON.stringify(divergence));
  }
  const program = process.env.REFRAIN_PROGRAM;
  if (program === undefined || logs.length === 0) return;
  const folder = mkdtempSync(join(tmpdir(), 'refrain-engine-'));
  const files = logs.map((log, place) => {
    const file = join(folder, `${place}.ndjson`);
    writeFileSync(file, log);
    return file;
  });
  execFileSync(program, ['audit', '--file', ...files], { stdio: ['ignore', 'ignore', 'pipe'] });
  rmSync(folder, { recursive: true });
}
