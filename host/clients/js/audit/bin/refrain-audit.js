#!/usr/bin/env node
// Audits exported logs, as `refrain audit --file` does: same verdicts, same JSON, same exit
// codes.

import { run } from '../src/node/command.js';

const NOT_DONE = 2;
let isWritten = true;

process.stdout.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
  // `… | head` closes the pipe: that is no failure of ours, and the verdict stands.
  if (error.code === 'EPIPE') return;
  isWritten = false;
  process.exitCode = NOT_DONE;
  process.stderr.write(`error: cannot write to stdout: ${error.message}\n`);
});
// Where nobody hears why, the exit code says it.
process.stderr.on('error', () => {});

const code = await run(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
process.exitCode = isWritten ? code : NOT_DONE;
