import assert from 'node:assert/strict';
import { test } from 'node:test';

import { auditAll } from '../src/index.js';
import { bytesOf, components, goldenLogs } from './support/files.js';

test('the golden logs are decided again as they were', async () => {
  const logs = goldenLogs();
  assert.ok(logs.length > 40);
  const audits = await auditAll(logs.map((log) => log.bytes), { components: components() });
  for (const [place, audit] of audits.entries()) {
    assert.deepEqual([logs[place].name, audit.verdict, audit.divergence], [logs[place].name, 'clean', null]);
    assert.ok(audit.decisions > 0);
  }
});

test('the package has the component of the repository', () => {
  const [own, repository] = ['host/clients/js/audit/component', 'host/component'].map((folder) =>
    bytesOf(`${folder}/refrain-scheduler.wasm`),
  );
  assert.deepEqual(own, repository, 'copy host/component/refrain-scheduler.wasm to host/clients/js/audit/component');
});
