// What a valid workflow is, for this scheduler: a chain of commands and tasks. What it cannot
// do is refused here, with its place, so that no execution of it ever begins.

import { NoObject, members } from './json.js';

/**
 * @typedef {{pointer: string, message: string, remedy: string}} Fault
 * @typedef {{id: string, queue: string, kind: string, attempts: number}} Node a node; its
 *   kind is the workflow's own text
 * @typedef {{id: string, version: string, nodes: Node[], places: Map<string, number>}} Chain
 *   the nodes, in their order, and the place of each id
 */

/** The fields that may stand in each object. */
const WORKFLOW = ['$schema', 'workflow_id', 'version', 'name', 'description', 'start_node', 'nodes', 'edges', 'retry_policies'];
const NODE = ['id', 'kind', 'retry_policy', 'description'];
const EDGE = ['from', 'to'];
const COMMAND = ['type', 'argv', 'cwd', 'env', 'output'];

/** The attempts of a node (rule R12); the host holds each order against these. */
const ATTEMPTS = 3;
const ATTEMPTS_NO_RETRY = 1;

/** Bytes of an id. */
const ID_BYTES_MAX = 256;
/** What instances of nodes and places in the world are named with. */
const SIGNS = /^-|[[\]#/@!~\u0000-\u001f\u007f-\u009f]/;

/** All faults of a workflow. */
export class InvalidWorkflow extends Error {
  /** @param {Fault[]} faults */
  constructor(faults) {
    super('the workflow is not valid');
    this.faults = faults;
  }
}

/**
 * Reads a workflow.
 * @param {string} text
 * @returns {Chain}
 */
export function read(text) {
  const faults = [];
  const workflow = object(faults, '', text, WORKFLOW);
  const nodes = new Map();
  for (const [id, node] of object(faults, '/nodes', workflow.get('nodes'))) {
    nodes.set(id, readNode(faults, id, node));
  }
  const next = readEdges(faults, workflow.get('edges') ?? '[]', nodes);
  const start = name(faults, '/start_node', workflow.get('start_node'));
  const order = inOrder(faults, start, nodes, next);
  const chain = {
    id: name(faults, '/workflow_id', workflow.get('workflow_id')),
    version: name(faults, '/version', workflow.get('version')),
    nodes: order,
    places: new Map(order.map((node, place) => [node.id, place])),
  };
  if (chain.version !== '' && !/^\d+\.\d+\.\d+([-+].*)?$/.test(chain.version)) {
    add(faults, '/version', 'this is no version', 'write three numbers, as 1.0.0');
  }
  if (object(faults, '/retry_policies', workflow.get('retry_policies') ?? '{}').size > 0) {
    add(faults, '/retry_policies', 'this scheduler knows no policies of a workflow\'s own', 'leave them out');
  }
  if (faults.length > 0) throw new InvalidWorkflow(faults);
  return chain;
}

function readNode(faults, id, text) {
  const place = `/nodes/${escaped(id)}`;
  if (id === 'end' || id === '' || SIGNS.test(id) || isTooLong(id)) {
    add(faults, place, 'no node can have this id', `use another of 1 to ${ID_BYTES_MAX} bytes, without any of []#/@!~`);
  }
  const node = object(faults, place, text, NODE);
  if (node.has('id') && value(node.get('id')) !== id) {
    add(faults, `${place}/id`, `the node stands under the id ${id}`, 'give both the same id');
  }
  const policy = value(node.get('retry_policy'));
  if (policy !== undefined && policy !== 'no_retry') {
    add(faults, `${place}/retry_policy`, 'this scheduler does not know this retry policy', 'write `no_retry`, or leave it out for three attempts');
  }
  return {
    id,
    kind: node.get('kind'),
    attempts: policy === undefined ? ATTEMPTS : ATTEMPTS_NO_RETRY,
    queue: readKind(faults, `${place}/kind`, node.get('kind')),
  };
}

/** The queue of a kind (rule R5). */
function readKind(faults, place, text) {
  const kind = object(faults, place, text);
  if (text?.includes('${')) {
    add(faults, place, 'this scheduler knows no expressions', 'write the value itself');
  }
  switch (value(kind.get('type'))) {
    case 'command': {
      known(faults, place, kind, COMMAND);
      const argv = value(kind.get('argv'));
      if (!Array.isArray(argv) || argv.length === 0 || !argv.every((it) => typeof it === 'string')) {
        add(faults, `${place}/argv`, 'there is no list of the program and its arguments', 'write it, as ["./pay", "--once"]');
      }
      return 'command';
    }
    case 'task':
      if (kind.has('input_mapping')) {
        add(faults, `${place}/input_mapping`, 'this scheduler knows no expressions', 'leave it out: the worker is given state and input');
      }
      return name(faults, `${place}/queue`, kind.get('queue'));
    default:
      add(faults, `${place}/type`, 'this scheduler knows the kinds `command` and `task` alone', 'use one of these');
      return '';
  }
}

/** The successor of each node that has one. */
function readEdges(faults, text, nodes) {
  const edges = value(text);
  const next = new Map();
  if (!Array.isArray(edges)) {
    add(faults, '/edges', 'this is no list', 'write a list of edges');
    return next;
  }
  for (const [index, edge] of edges.entries()) {
    const place = `/edges/${index}`;
    const fields = object(faults, place, JSON.stringify(edge), EDGE);
    const [from, to] = [value(fields.get('from')), value(fields.get('to'))];
    if (!nodes.has(from)) add(faults, `${place}/from`, 'there is no such node', 'name a node of the workflow');
    if (!nodes.has(to) && to !== 'end') add(faults, `${place}/to`, 'there is no such node', 'name a node of the workflow, or `end`');
    if (next.has(from)) {
      add(faults, place, `the node ${from} has another edge, and this scheduler knows chains alone`, 'let each node lead to one other');
    }
    next.set(from, to);
  }
  return next;
}

/** The nodes from the first one on; each of them has to be there. */
function inOrder(faults, start, nodes, next) {
  const order = new Map();
  let id = start;
  while (nodes.has(id) && !order.has(id)) {
    order.set(id, nodes.get(id));
    id = next.get(id);
  }
  if (order.size === 0) {
    if (start !== '') add(faults, '/start_node', 'there is no such node', 'name the first node of the chain');
  } else if (order.has(id)) {
    add(faults, '/edges', `there is a cycle through ${id}`, 'let the last node lead to `end`');
  } else {
    for (const left of nodes.keys()) {
      if (!order.has(left)) {
        add(faults, `/nodes/${escaped(left)}`, `no path leads to it from ${start}`, 'connect it, or leave it out');
      }
    }
  }
  return [...order.values()];
}

function add(faults, pointer, message, remedy) {
  faults.push({ pointer, message, remedy });
}

/** The members of an object, all of which are known, where it is said which these are. */
function object(faults, place, text, fields) {
  try {
    const found = members(text ?? 'null');
    if (fields) known(faults, place, found, fields);
    return found;
  } catch (error) {
    if (!(error instanceof NoObject)) throw error;
    add(faults, place, error.message, 'write a JSON object with each member once');
    return new Map();
  }
}

function known(faults, place, found, fields) {
  for (const field of found.keys()) {
    if (!fields.includes(field)) {
      add(faults, `${place}/${escaped(field)}`, 'this scheduler does not know this field', 'leave it out, or use a scheduler that knows it');
    }
  }
}

function name(faults, place, text) {
  const found = value(text);
  if (typeof found === 'string' && found !== '' && !isTooLong(found)) return found;
  add(faults, place, 'there is no name', `write a text of 1 to ${ID_BYTES_MAX} bytes`);
  return '';
}

function value(text) {
  return text === undefined ? undefined : JSON.parse(text);
}

function isTooLong(id) {
  return new TextEncoder().encode(id).length > ID_BYTES_MAX;
}

/** A name as it stands in a JSON pointer. */
function escaped(id) {
  return id.replaceAll('~', '~0').replaceAll('/', '~1');
}
