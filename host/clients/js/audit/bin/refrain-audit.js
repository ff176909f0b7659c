#!/usr/bin/env node
// Audits exported logs, as `refrain audit --file` does: same verdicts, same JSON, same exit
// codes.

import { run } from '../src/node/command.js';

process.exitCode = await run(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
