// The graph: the picture that the one renderer has drawn, with the states of the place.

import { button, drawn, element, fill } from '../base/dom.js';
import { sign, words } from '../words/signs.js';
import { FarParts } from './far_parts.js';

/** @typedef {import('../view/runs.js').Run} Run */

/** How a node of the picture looks. @typedef {{state: string, count?: string, undo?: string}} Look */

const ZOOM_MIN = 0.05;
const ZOOM_MAX = 3;
const ZOOM_STEP = 1.25;

/** A graph is not shown smaller than this before somebody asks for it. */
const ZOOM_READABLE = 0.55;

/** States in the order of the legend. */
const LEGEND = ['pending', 'scheduled', 'running', 'waiting', 'backing_off', 'completed', 'failed', 'skipped', 'cancelled'];

export class GraphPane {
  /** @type {Map<string, {group: Element, look?: string, base: string, sign?: Element, count?: Element, about?: Element, undo: string}>} */
  #nodes = new Map();
  /** @type {{group: Element, from: string, to: string, onFailure: boolean, onAlways: boolean, isAhead: boolean}[]} */
  #edges = [];
  /** @type {SVGSVGElement | undefined} */
  #svg = undefined;
  /** @type {FarParts | undefined} */
  #far = undefined;
  #zoom = 1;
  #size = { width: 1, height: 1 };
  /** @type {string | undefined} */
  #chosen = undefined;

  /**
   * @param {HTMLElement} pane
   * @param {HTMLElement} tools
   * @param {HTMLElement} legend
   * @param {(way: string) => void} onChoose
   */
  constructor(pane, tools, legend, onChoose) {
    this.pane = pane;
    fill(
      tools,
      button('−', () => this.#scale(1 / ZOOM_STEP), { 'aria-label': 'Smaller' }),
      button('fit', () => this.#showAll(), { 'aria-label': 'Show all of it' }),
      button('+', () => this.#scale(ZOOM_STEP), { 'aria-label': 'Larger' }),
    );
    fill(legend, ...LEGEND.map((state) => element('span', { class: `key state-${state}` }, `${sign(state)} ${words(state)}`)));
    pane.addEventListener('click', (event) => {
      const node = event.target instanceof Element ? event.target.closest('.node') : null;
      const way = node?.getAttribute('data-node');
      if (way) onChoose(way);
    });
    pane.addEventListener('wheel', (event) => this.#onWheel(event), { passive: false });
    pane.addEventListener('scroll', () => this.#far?.moved(), { passive: true });
    new ResizeObserver(() => this.#far?.moved()).observe(pane);
    this.#dragging();
  }

  /** @param {WheelEvent} event */
  #onWheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.#scale(event.deltaY < 0 ? ZOOM_STEP : 1 / ZOOM_STEP);
  }

  /** The picture is moved with a mouse, as a map is; fingers scroll it by themselves. */
  #dragging() {
    const { pane } = this;
    /** @type {{x: number, y: number} | undefined} */
    let from;
    pane.addEventListener('pointerdown', (event) => {
      if (event.pointerType !== 'mouse' || event.button !== 0) return;
      from = { x: event.clientX, y: event.clientY };
    });
    pane.addEventListener('pointermove', (event) => {
      if (from === undefined || event.buttons === 0) return;
      pane.scrollLeft -= event.clientX - from.x;
      pane.scrollTop -= event.clientY - from.y;
      from = { x: event.clientX, y: event.clientY };
    });
    for (const end of ['pointerup', 'pointerleave']) pane.addEventListener(end, () => (from = undefined));
  }

  /**
   * Shows another picture.
   * @param {string | undefined} text The picture, as SVG.
   * @returns {boolean} Whether there is one.
   */
  load(text) {
    this.#nodes.clear();
    this.#edges = [];
    this.#svg = undefined;
    this.#far = undefined;
    this.#chosen = undefined;
    const svg = text === undefined ? undefined : pictureOf(text);
    if (svg === undefined) return false;
    this.#svg = svg;
    this.#size = { width: Number(svg.getAttribute('width')) || 1, height: Number(svg.getAttribute('height')) || 1 };
    for (const group of svg.querySelectorAll('g.node')) this.#takeNode(group);
    for (const group of svg.querySelectorAll('g.edge')) {
      this.#edges.push({
        group,
        from: group.getAttribute('data-from') ?? '',
        to: group.getAttribute('data-to') ?? '',
        onFailure: group.classList.contains('on-failure'),
        onAlways: group.classList.contains('on-always'),
        isAhead: group.classList.contains('ahead'),
      });
    }
    // Its size first: a large picture is then laid out once.
    this.#fit(ZOOM_READABLE);
    this.pane.replaceChildren(svg);
    // With the next frame, for which it is laid out anyway: the page has its turn before.
    requestAnimationFrame(() => this.#bringIntoView(svg));
    return true;
  }

  /** @param {SVGSVGElement} svg The picture that was put there. */
  #bringIntoView(svg) {
    if (svg !== this.#svg) return;
    this.#showMiddle();
    this.#far = new FarParts(this.pane, svg);
    this.#showChosen();
  }

  /** @param {Element} group */
  #takeNode(group) {
    // Selectors would look through all that stands within it.
    const own = (/** @type {Element | undefined} */ of, /** @type {string} */ name) =>
      of && [...of.children].find((it) => it.classList.contains(name));
    const [id, about] = [own(group, 'id'), own(group, 'about')];
    const base = [...group.classList].filter((name) => !name.startsWith('state-')).join(' ');
    this.#nodes.set(group.getAttribute('data-node') ?? '', {
      group,
      base,
      sign: own(id, 'sign'),
      count: own(id, 'count'),
      about,
      undo: (about?.textContent ?? '').replace(/↩.*$/, '↩'),
    });
  }

  /**
   * Shows these states. A node that nothing is said of has none.
   * @param {(way: string) => Look | undefined} lookOf
   */
  update(lookOf) {
    /** @type {Map<string, string | undefined>} */
    const states = new Map();
    for (const [way, node] of this.#nodes) {
      const look = lookOf(way);
      states.set(way, look?.state);
      const key = look === undefined ? '' : `${look.state} ${look.count ?? ''} ${look.undo ?? ''}`;
      if (node.look === key) continue;
      node.look = key;
      this.#dress(way, node, look);
    }
    for (const edge of this.#edges) {
      const isAhead = !isGone(edge, states.get(edge.from), states.get(edge.to));
      if (isAhead === edge.isAhead) continue;
      edge.isAhead = isAhead;
      edge.group.classList.toggle('ahead', isAhead);
    }
  }

  /**
   * @param {string} way
   * @param {{group: Element, base: string, sign?: Element, count?: Element, about?: Element, undo: string}} node
   * @param {Look | undefined} look
   */
  #dress(way, node, look) {
    const state = look === undefined ? '' : ` state-${look.state}`;
    node.group.setAttribute('class', `${node.base}${state}${way === this.#chosen ? ' chosen' : ''}`);
    if (node.sign !== undefined) node.sign.textContent = look === undefined ? '' : sign(look.state);
    if (node.count === undefined && look?.count !== undefined) node.count = countIn(node.group);
    if (node.count !== undefined) node.count.textContent = look?.count ?? '';
    if (node.about !== undefined && node.undo.includes('↩')) {
      node.about.textContent = node.undo + (look?.undo === undefined ? '' : sign(look.undo));
    }
  }

  /**
   * Marks a node, and brings it into view.
   * @param {string | undefined} way
   */
  choose(way) {
    if (this.#chosen !== undefined) this.#nodes.get(this.#chosen)?.group.classList.remove('chosen');
    this.#chosen = way;
    if (way === undefined) return;
    this.#nodes.get(way)?.group.classList.add('chosen');
    this.#showChosen();
  }

  /** The chosen node comes into view, if it is not seen. */
  #showChosen() {
    const group = this.#chosen === undefined ? undefined : this.#nodes.get(this.#chosen)?.group;
    // A picture that has just come is laid out first.
    if (group === undefined || this.#far === undefined) return;
    this.#far.draw(group);
    const [seen, box] = [this.pane.getBoundingClientRect(), group.getBoundingClientRect()];
    const isSeen = box.left >= seen.left && box.right <= seen.right && box.top >= seen.top && box.bottom <= seen.bottom;
    if (!isSeen) {
      this.pane.scrollLeft += box.left + box.width / 2 - seen.left - seen.width / 2;
      this.pane.scrollTop += box.top + box.height / 2 - seen.top - seen.height / 2;
    }
  }

  /** Whether the picture has this node. @param {string} way */
  has(way) {
    return this.#nodes.has(way);
  }

  /** @param {number} by */
  #scale(by) {
    const { pane } = this;
    const middle = { x: (pane.scrollLeft + pane.clientWidth / 2) / this.#zoom, y: (pane.scrollTop + pane.clientHeight / 2) / this.#zoom };
    this.#setZoom(this.#zoom * by);
    pane.scrollLeft = middle.x * this.#zoom - pane.clientWidth / 2;
    pane.scrollTop = middle.y * this.#zoom - pane.clientHeight / 2;
  }

  #showAll() {
    this.#fit(0);
    this.#showMiddle();
  }

  /**
   * Makes the picture as large as shows all of it.
   * @param {number} least But not smaller than this.
   */
  #fit(least) {
    const { clientWidth, clientHeight } = this.pane;
    const whole = Math.min(clientWidth / this.#size.width, clientHeight / this.#size.height, 1);
    this.#setZoom(Math.max(whole, least));
  }

  #showMiddle() {
    this.pane.scrollLeft = (this.#size.width * this.#zoom - this.pane.clientWidth) / 2;
    this.pane.scrollTop = 0;
  }

  /** @param {number} zoom */
  #setZoom(zoom) {
    this.#zoom = Math.min(Math.max(zoom, ZOOM_MIN), ZOOM_MAX);
    this.#svg?.setAttribute('width', String(Math.round(this.#size.width * this.#zoom)));
    this.#svg?.setAttribute('height', String(Math.round(this.#size.height * this.#zoom)));
    this.#far?.moved();
  }
}

/**
 * The picture, cut down to what is drawn: the page has its style, title and legend.
 * @param {string} text
 * @returns {SVGSVGElement | undefined}
 */
function pictureOf(text) {
  // The page has its style, and its content policy takes no other.
  const bare = text.replace(/<style>[^]*?<\/style>/, '');
  const read = new DOMParser().parseFromString(bare, 'image/svg+xml').documentElement;
  if (read.localName !== 'svg' || read.querySelector('parsererror') !== null) return undefined;
  const svg = /** @type {SVGSVGElement} */ (/** @type {unknown} */ (document.adoptNode(read)));
  for (const part of svg.querySelectorAll(':scope > title, :scope > .title, :scope > .legend, :scope > .ground, script, foreignObject')) {
    part.remove();
  }
  cutEmptySpace(svg);
  svg.prepend(drawn('title', {}, 'The nodes of the workflow and the edges between them'));
  return svg;
}

/**
 * A place for the count of a node that was drawn without one.
 * @param {Element} group
 */
function countIn(group) {
  const count = drawn('tspan', { class: 'count' });
  group.querySelector(':scope > .id')?.append(' ', count);
  return count;
}

/** Above and below a picture stand its title and its legend, of this height. */
const LINE = 30;

/** @param {SVGSVGElement} svg */
function cutEmptySpace(svg) {
  const [width, height] = ['width', 'height'].map((name) => Number(svg.getAttribute(name)));
  if (!(width > 0) || !(height > 3 * LINE)) return;
  svg.setAttribute('viewBox', `0 ${LINE} ${width} ${height - 2 * LINE}`);
  svg.setAttribute('height', String(height - 2 * LINE));
}

/**
 * Whether an edge was gone, as far as the states of its ends tell.
 * @param {{onFailure: boolean, onAlways: boolean}} edge
 * @param {string | undefined} from
 * @param {string | undefined} to
 */
function isGone(edge, from, to) {
  const hasEnded = (from === 'completed' && !edge.onFailure) || (from === 'failed' && (edge.onFailure || edge.onAlways));
  return hasEnded && to !== 'pending' && to !== 'skipped';
}
