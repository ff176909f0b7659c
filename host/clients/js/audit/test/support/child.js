// A child of a golden log's, begun as its parent asks for it.

import { idOfChild } from '../../src/log/id.js';
import { Recording } from '../../src/log/recording.js';
import { digest } from '../../src/sha256.js';
import { Travel } from '../../src/index.js';
import { opened, rechained } from './forge.js';
import { components, goldenLog } from './files.js';

/** The event that asks for the child, and the one that says that it was started. */
const [ASKED, STARTED] = [14, 15];

/**
 * The parent, up to where its child was started, and that child, as far as it comes without a
 * worker.
 * @returns {{parent: Recording, child: Recording}}
 */
export function family() {
  const parent = opened(goldenLog('child'));
  parent.kept.length = STARTED;
  const travel = new Travel(parent, components());
  const { node_id, attempt, iteration } = parent.kept[ASKED - 1].event.kind.value;
  travel.go(ASKED - 1);
  const order = travel.nextStep(parent.kept[ASKED - 1].event.at).orders.find((it) => it.tag === 'start_child');
  const body = /"body":(\{"nodes".*?"start_node":"x"\})/.exec(parent.workflow)?.[1] ?? '';
  const id = idOfChild(parent.executionId, node_id, attempt, iteration);
  const started = {
    ...parent.started,
    execution_id: id,
    workflow_id: `${parent.started.workflow_id}/${node_id}`,
    workflow_digest: digest(body),
    initial_input: order.value.input,
    key: null,
    by: null,
    labels: [],
    parent: { execution_id: parent.executionId, node_id, attempt, iteration, sequence: ASKED, root: parent.executionId, depth: 1 },
  };
  const { at } = parent.kept[STARTED - 1].event;
  const header = { ...parent.header, execution_id: id, workflow: body };
  const child = new Recording(header, new Map());
  const keep = (/** @type {any} */ event) => child.kept.push({ event, hash: '', salt: '00'.repeat(16), commitment: null });
  keep({ sequence: 1, at, origin: 'fact', kind: { tag: 'workflow_started', value: started } });
  rechained(child);
  new Travel(child, components()).nextStep(at).decisions.forEach(keep);
  return { parent, child: rechained(child) };
}
