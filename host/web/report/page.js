// The page: what is shown is brought together here.

import { byId, button, element, fill } from './base/dom.js';
import { rfc3339, span } from './base/time.js';
import { EventPane } from './panes/event.js';
import { EventsPane } from './panes/events.js';
import { GraphPane } from './panes/graph.js';
import { NodeList } from './panes/node_list.js';
import { NodePane } from './panes/node.js';
import { ProofPane } from './panes/proof.js';
import { QueuePane } from './panes/queue.js';
import { StatePane } from './panes/state.js';
import { TimelinePane } from './panes/timeline.js';
import { TravelBar } from './panes/travel.js';
import { VerdictPane } from './panes/verdict.js';
import { derive } from './view/derive.js';
import { listenToKeys } from './view/keys.js';
import { looksAt } from './view/looks.js';
import { keepInAddress } from './view/permalink.js';
import { runsOfLog, withScheduler } from './view/runs.js';
import { Scheduler } from './view/scheduler.js';
import { themes } from './view/theme.js';
import { View } from './view/view.js';

/** @typedef {import('./view/execution.js').Execution} Execution */
/** @typedef {import('./view/scheduler.js').Answer} Answer */
/** @typedef {import('./panes/proof.js').Self} Self */
/** @typedef {{execution: boolean, sequence: boolean, node: boolean}} Changed */

/** What the page says of what it holds. @type {Record<Self['holds'], string>} */
const HOLDS = {
  payloads: 'This file holds everything that the executions were given and have said, and the text of their workflow. Give it only to people who may read that.',
  masked: 'What was said is not in this file: texts and numbers are masked. It holds the names of fields, and the text of the workflow.',
  none: 'What was said is not in this file. It holds times, the names of nodes, and the text of the workflow.',
  dropped: '',
};

export class Page {
  /** Ends what listens beyond the page's own elements. */
  #ending = new AbortController();
  /** @type {Scheduler | undefined} */
  #scheduler = undefined;
  /** @type {Answer | undefined} */
  #answer = undefined;
  /** @type {Changed | undefined} */
  #owed = undefined;
  /** @type {{update: GraphPane['update'], choose: GraphPane['choose'], has: GraphPane['has']}} */
  #nodes;

  /**
   * @param {Execution[]} executions
   * @param {Self} self
   * @param {{url: string | URL, type: WorkerType}} worker The script of its workers.
   */
  constructor(executions, self, worker) {
    const view = new View(executions);
    this.view = view;
    this.self = self;
    this.worker = worker;
    this.graph = new GraphPane(byId('graph'), byId('graph-tools'), byId('graph-legend'), (way) => this.#chooseWay(way));
    this.#nodes = this.graph;
    this.timeline = new TimelinePane(
      { pane: byId('timeline'), ruler: byId('timeline-ruler'), legend: byId('timeline-legend'), tools: byId('timeline-tools') },
      { choose: (node) => view.choose(node), go: (at) => view.go(view.history.sequenceAt(at)) },
    );
    this.events = new EventsPane(byId('events'), byId('events-tools'), view);
    this.node = new NodePane(byId('node'), byId('node-title'), view, () => this.#askGiven());
    this.state = new StatePane(byId('state'), view);
    this.queue = new QueuePane(byId('queue'), view);
    this.event = new EventPane(byId('event'), byId('event-title'), view);
    this.verdict = new VerdictPane(byId('verdict'), view, self);
    this.proof = new ProofPane(byId('proof'), view, self);
    this.travel = new TravelBar(
      { buttons: byId('travel-buttons'), slider: /** @type {HTMLInputElement} */ (byId('slider')), place: byId('place'), line: byId('event-line') },
      view,
    );
  }

  /** Shows the place that the address names, and has everything derived again. */
  begin() {
    const { view } = this;
    const theme = themes(byId('theme'));
    const help = /** @type {HTMLDialogElement} */ (byId('help'));
    byId('help-button').addEventListener('click', () => help.showModal());
    listenToKeys(view, { theme, help, search: this.events.search, signal: this.#ending.signal });
    keepInAddress(view, this.#ending.signal);
    view.listen((changed) => this.#owe(changed));
    this.#notice();
    this.#show({ execution: true, sequence: true, node: true });
    for (const execution of view.executions) {
      execution.proof.listen(() => this.#proven(execution));
    }
    // A module has the auditor's own script for that.
    const workerUrl = this.worker.type === 'classic' ? this.worker.url : undefined;
    void derive(view.executions, { workerUrl, anchors: this.self.anchors, trust: this.self.trust });
  }

  /** Another page takes its place. */
  end() {
    this.#ending.abort();
    this.#scheduler?.end();
  }

  #notice() {
    const notice = byId('notice');
    notice.textContent = HOLDS[this.self.holds];
    notice.hidden = notice.textContent === '';
  }

  /** @param {Execution} execution */
  #proven(execution) {
    this.#executions();
    if (execution !== this.view.execution) return;
    this.verdict.update();
    this.events.list.refresh();
    if (execution.proof.isOver) this.event.update();
  }

  /**
   * What a drag of the slider changes many times is shown once a frame.
   * @param {Changed} changed
   */
  #owe(changed) {
    if (this.#owed === undefined) requestAnimationFrame(() => this.#pay());
    const owed = this.#owed ?? { execution: false, sequence: false, node: false };
    this.#owed = {
      execution: owed.execution || changed.execution,
      sequence: owed.sequence || changed.sequence,
      node: owed.node || changed.node,
    };
  }

  #pay() {
    const owed = this.#owed;
    this.#owed = undefined;
    if (owed !== undefined) this.#show(owed);
  }

  /** @param {Changed} changed */
  #show(changed) {
    if (changed.execution) this.#load();
    const { view } = this;
    this.travel.update();
    this.timeline.update(view.at, view.node);
    if (changed.sequence) this.event.update();
    this.events.update(changed.node);
    if (changed.node || changed.execution) this.#nodes.choose(view.node === undefined ? undefined : this.#wayOf(view.node));
    this.#showRuns();
    this.#facts();
    this.#ask();
  }

  /** Another execution is looked at. */
  #load() {
    const { view } = this;
    const { execution, log, history } = view;
    document.title = `${log.workflowName}: ${log.executionId}`;
    byId('title').textContent = log.workflowName;
    byId('execution-id').textContent = log.executionId;
    this.#loadGraph();
    this.timeline.load(history);
    this.events.load();
    this.proof.update();
    this.verdict.update();
    this.#executions();
    this.#answer = undefined;
    this.#scheduler?.end();
    this.#scheduler = log.isErased ? undefined : new Scheduler(() => new Worker(this.worker.url, { type: this.worker.type }), execution, (answer) => this.#take(answer));
  }

  /** The graph, or a list of the nodes where it cannot be drawn. */
  #loadGraph() {
    const { execution, log } = this.view;
    const { drawn } = execution;
    const isShown = this.graph.load(drawn !== undefined && 'svg' in drawn ? drawn.svg : undefined);
    const workflow = drawn === undefined ? {} : log.workflow;
    this.#nodes = isShown ? this.graph : new NodeList(byId('graph'), workflow, whyNot(drawn));
    if (drawn === undefined) void execution.draw().then(() => this.#showDrawn(execution));
  }

  /** @param {Execution} execution */
  #showDrawn(execution) {
    const { view } = this;
    if (execution !== view.execution || this.#ending.signal.aborted) return;
    this.#loadGraph();
    if (view.node !== undefined) this.#nodes.choose(this.#wayOf(view.node));
    this.#showRuns();
  }

  /** The states of all nodes, as the log tells them or, where it was asked, the scheduler. */
  #showRuns() {
    const { view } = this;
    let runs = runsOfLog(view.history.nodes.at(view.sequence).byId);
    if (this.#answer?.sequence === view.sequence && this.#answer.inspection !== undefined) {
      runs = withScheduler(runs, JSON.parse(this.#answer.inspection));
    }
    this.#nodes.update(looksAt(view, runs));
    this.node.update(runs);
    this.queue.update(runs);
  }

  #ask() {
    const { view } = this;
    if (this.#scheduler === undefined || view.sequence === 0) {
      const why = view.log.isErased ? 'What was said is not in this log, so its scheduler cannot be asked.' : undefined;
      this.state.update(undefined, why);
      this.node.explain(view.node === undefined ? undefined : why);
      return;
    }
    if (this.#answer?.sequence === view.sequence && this.#answer.node === view.node) {
      this.#explain(this.#answer);
      return;
    }
    this.state.wait();
    this.node.wait();
    this.#scheduler.ask({ sequence: view.sequence, node: view.node, isGivenAsked: this.node.isGivenOpen });
  }

  /** What the worker of the chosen node was given is asked for, unless it is known. */
  #askGiven() {
    const { view } = this;
    if (this.#answer?.sequence === view.sequence && this.#answer.node === view.node && this.#answer.isGivenAsked) return;
    this.#scheduler?.ask({ sequence: view.sequence, node: view.node, isGivenAsked: true });
  }

  /** @param {Answer} answer */
  #take(answer) {
    const { view } = this;
    if (answer.sequence !== view.sequence || answer.node !== view.node) return;
    this.#answer = answer;
    this.#showRuns();
    this.state.update(answer.state, answer.error);
    this.#explain(answer);
  }

  /** @param {Answer} answer */
  #explain(answer) {
    if (this.view.node === undefined) return;
    if (this.node.isGivenOpen) this.node.showGiven(answer.given);
    this.node.explain(answer.explanation ?? answer.error ?? 'Its scheduler says nothing of it.');
  }

  /** @param {string} way */
  #chooseWay(way) {
    const parts = way.split('/');
    const { view } = this;
    if (parts.length === 1) {
      view.choose(way === 'end' ? undefined : way);
      return;
    }
    // A node of a child that is drawn within its parent.
    const child = view.known(view.history.nodes.at(view.sequence).byId.get(parts[0])?.child);
    if (child === undefined) view.choose(parts[0]);
    else view.open(child, child.history.sequenceAt(view.at), parts[1]);
  }

  /**
   * The node of the picture that stands for a run.
   * @param {string} id
   */
  #wayOf(id) {
    return this.#nodes.has(id) ? id : id.replace(/!undo$/, '').replace(/\[\d+\]$/, '');
  }

  #facts() {
    const { view } = this;
    const { log, sequence } = view;
    const begun = sequence === 0 ? 'not started' : log.statuses[sequence];
    const status = log.isReadable ? begun : 'unreadable';
    const badge = byId('status');
    badge.textContent = status;
    badge.className = `badge status-${status.replace(' ', '-')}`;
    byId('status-later').textContent = sequence === log.count || !log.isReadable ? '' : `then, and ${log.status} at the end of the log`;
    const { parent, forked_from: origin } = log.first;
    fill(
      byId('facts'),
      ...(log.isReadable ? fact('started', rfc3339(log.at[0])) : []),
      ...(log.isReadable ? fact('took', span(log.at[log.count] - log.at[0])) : []),
      ...(log.first.simulated === true ? fact('time', 'simulated') : []),
      ...(parent ? fact('child of', this.#link(parent.execution_id, parent.node_id)) : []),
      ...(origin ? fact('forked from', this.#link(origin.execution_id, undefined)) : []),
    );
  }

  /**
   * @param {string} id
   * @param {string | undefined} node
   */
  #link(id, node) {
    const known = this.view.known(id);
    const words = node === undefined ? id : `${id}, node ${node}`;
    return known === undefined ? element('code', {}, words) : button(words, () => this.view.open(known, undefined, node), { class: 'link' });
  }

  /** The executions of the file, where there are several. */
  #executions() {
    const { view } = this;
    const all = view.executions;
    if (all.length < 2) return;
    const options = all.map((it, place) =>
      element('option', { value: place, selected: it === view.execution }, `${mark(it)} ${it.log.workflowName} ${it.log.executionId.slice(0, 13)}…`));
    const select = element('select', { 'aria-label': 'Execution', change: (/** @type {Event} */ event) => view.open(all[Number(/** @type {HTMLSelectElement} */ (event.target).value)]) }, ...options);
    fill(byId('executions'), select);
  }
}

/**
 * Why no graph is shown.
 * @param {Execution['drawn']} drawn
 */
function whyNot(drawn) {
  if (drawn === undefined) return 'The graph is being drawn.';
  return 'why' in drawn ? drawn.why : 'The picture of this workflow cannot be read.';
}

/** @param {Execution} execution */
function mark(execution) {
  if (!execution.proof.isOver) return '…';
  return execution.proof.isGood ? '✓' : '✗';
}

/**
 * @param {string} name
 * @param {Node | string} value
 */
function fact(name, value) {
  return [element('div', {}, element('dt', {}, name), element('dd', {}, value))];
}
