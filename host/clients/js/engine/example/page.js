// A workflow in this tab: a person reviews a draft, a timer waits, a map measures. The tab
// may be closed at any moment.

import { audit } from '@refrain/audit';
import { Engine, IndexedDbStore, WorkError } from '../src/index.js';

const WORKFLOW = {
  workflow_id: 'publish',
  version: '1.0.0',
  start_node: 'draft',
  retry_policies: { soon: { max_attempts: 4, backoff: 'fixed', initial_delay: 1 } },
  nodes: {
    draft: { kind: { type: 'tool', tool_ref: 'draft' }, retry_policy: 'soon' },
    review: {
      kind: {
        type: 'human_approval',
        description: 'Shall it be published?',
        timeout_secs: 3600,
        fallback_node: 'shelve',
      },
    },
    cool_down: { kind: { type: 'wait', condition: 'timer', timeout_secs: 3 } },
    measure: {
      kind: {
        type: 'map',
        over: 'state.words',
        body: { type: 'tool', tool_ref: 'measure' },
        max_concurrent: 2,
        output_key: 'lengths',
      },
    },
    publish: { kind: { type: 'tool', tool_ref: 'publish' } },
    shelve: { kind: { type: 'tool', tool_ref: 'shelve' } },
  },
  edges: [
    { from: 'draft', to: 'review' },
    { from: 'review', to: 'cool_down' },
    { from: 'review', to: 'shelve', on: 'failure' },
    { from: 'cool_down', to: 'measure' },
    { from: 'measure', to: 'publish' },
    { from: 'publish', to: 'end' },
    { from: 'shelve', to: 'end' },
  ],
};

/** What each tool does. @type {Record<string, (item: any) => unknown>} */
const TOOLS = {
  draft: ({ attempt }) => {
    if (attempt === 1) throw new WorkError('the pen is dry', { class: 'io_error' });
    return { words: ['to', 'hold', 'back'] };
  },
  measure: ({ input }) => input.item.length,
  publish: ({ input }) => ({ published: input.state.lengths }),
  shelve: () => ({ shelved: true }),
};

/**
 * Work takes its time, so that there is something to be seen and to be closed in the middle.
 * @type {import('../src/workers/pool.js').Worker}
 */
async function work(item, { signal }) {
  await new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 700);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
  return TOOLS[item.kind.tool_ref](item);
}

/** @param {string} id @returns {HTMLElement} */
function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @param {string} id */
function button(id) {
  return /** @type {HTMLButtonElement} */ (element(id));
}

/** @param {string} text */
function say(text) {
  element('status').textContent = text;
}

/** The page's one execution at a time: the last that began. */
class Page {
  /** @type {import('../src/index.js').Execution | undefined} */
  execution;
  #isDrawing = false;
  #isStale = false;

  /** @param {Engine} engine */
  constructor(engine) {
    this.engine = engine;
  }

  async open() {
    const [last] = await this.engine.list({ max: 1 });
    if (last !== undefined) this.execution = this.engine.execution(last.id);
    button('start').onclick = () => this.act(() => this.start());
    button('approve').onclick = () =>
      this.act(() => this.execution?.approve('review', { userId: 'reader', by: 'page' }));
    button('reject').onclick = () => this.act(() => this.execution?.reject('review', { userId: 'reader', by: 'page' }));
    button('audit').onclick = () => this.act(() => this.audit());
    button('save').onclick = () => this.act(() => this.save());
    await this.draw();
  }

  /**
   * What goes wrong is told.
   * @param {() => unknown} work
   */
  async act(work) {
    try {
      await work();
      await this.draw();
    } catch (thrown) {
      say(/** @type {Error} */ (thrown).message);
    }
  }

  async start() {
    const { workflowId, version } = await this.engine.register(WORKFLOW);
    this.execution = await this.engine.start({ workflowId, version, by: 'page' });
    element('verdict').textContent = '';
  }

  async audit() {
    const log = await /** @type {import('../src/index.js').Execution} */ (this.execution).log({ withGuest: true });
    const { verdict, events, decisions } = await audit(log);
    element('verdict').textContent = `${verdict}: ${events} events, ${decisions} decisions derived again`;
  }

  async save() {
    const log = await /** @type {import('../src/index.js').Execution} */ (this.execution).log({ withGuest: true });
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([log], { type: 'application/x-ndjson' }));
    link.download = `${this.execution?.id}.ndjson`;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  /** Draws how it stands; once more if something came meanwhile. */
  async draw() {
    this.#isStale = true;
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    while (this.#isStale) {
      this.#isStale = false;
      await this.#drawOnce();
    }
    this.#isDrawing = false;
  }

  async #drawOnce() {
    const shown = await this.execution?.show();
    const hasEnded = shown === undefined || ['completed', 'failed', 'cancelled'].includes(shown.status);
    const isAsked = !hasEnded && shown.nodes.some(({ nodeId, state }) => nodeId === 'review' && state === 'waiting');
    button('start').disabled = !hasEnded;
    button('approve').disabled = button('reject').disabled = !isAsked;
    button('audit').disabled = button('save').disabled = shown === undefined;
    if (shown === undefined) return say('Nothing has been started yet.');
    say(`${shown.id} is ${shown.status}, after ${shown.events} events.`);
    element('nodes').replaceChildren(...shown.nodes.map(row));
    const lines = (await /** @type {import('../src/index.js').Execution} */ (this.execution).log())
      .trimEnd()
      .split('\n')
      .slice(1);
    element('log').replaceChildren(...lines.map((line) => item(JSON.parse(line))));
  }
}

/** @param {{nodeId: string, state: string, reasons: {cause: {tag: string}}[]}} node */
function row({ nodeId, state, reasons }) {
  const cells = [nodeId, state, reasons.map(({ cause }) => cause.tag.replaceAll('_', ' ')).join(', ')].map((text) => {
    const cell = document.createElement('td');
    cell.textContent = text;
    return cell;
  });
  cells[1].dataset.state = state;
  const row = document.createElement('tr');
  row.append(...cells);
  return row;
}

/** @param {{type: string, node_id?: string, at: string}} event */
function item({ type, node_id: nodeId = '', at }) {
  const item = document.createElement('li');
  item.textContent = `${at.slice(11, 23)} ${type} ${nodeId}`;
  return item;
}

/** @type {Page | undefined} */
let page;
try {
  const engine = await Engine.open({
    store: await IndexedDbStore.open('refrain-example'),
    workers: { tool: work },
    onWaiting: () => say('Another tab works on it. This one goes on when that is closed.'),
    onCommit: () => void page?.draw(),
  });
  page = new Page(engine);
  await page.open();
} catch (thrown) {
  say(/** @type {Error} */ (thrown).message);
}
