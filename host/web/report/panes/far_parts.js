// What of a large picture is far from what can be seen is not drawn: browsers would go through
// all of it each time that a state changes.

/** A picture of fewer parts is drawn as a whole. */
const PARTS_MIN = 1000;

/** A part of the picture, and where it is, in parts of the picture's width and height. */
/** @typedef {{part: Element, left: number, right: number, top: number, bottom: number, isFar: boolean}} Placed */

export class FarParts {
  /** @type {Placed[]} */
  #placed = [];
  #isOwed = false;

  /**
   * Of a picture that was just put into its pane.
   * @param {HTMLElement} pane What scrolls it.
   * @param {SVGSVGElement} svg
   */
  constructor(pane, svg) {
    this.pane = pane;
    this.svg = svg;
    const parts = [...svg.querySelectorAll(':scope > g > g')];
    if (parts.length < PARTS_MIN) return;
    const all = svg.getBoundingClientRect();
    this.#placed = parts.map((part) => {
      const { left, right, top, bottom } = part.getBoundingClientRect();
      const [x, y] = [(/** @type {number} */ at) => (at - all.left) / all.width, (/** @type {number} */ at) => (at - all.top) / all.height];
      return { part, left: x(left), right: x(right), top: y(top), bottom: y(bottom), isFar: false };
    });
    this.update();
  }

  /** The picture is seen from elsewhere: that is shown with the next frame. */
  moved() {
    if (this.#isOwed || this.#placed.length === 0) return;
    this.#isOwed = true;
    requestAnimationFrame(() => {
      this.#isOwed = false;
      this.update();
    });
  }

  /** Draws what is not further away than the pane is large. */
  update() {
    if (this.#placed.length === 0) return;
    const [seen, all] = [this.pane.getBoundingClientRect(), this.svg.getBoundingClientRect()];
    const [left, right] = [seen.left - seen.width, seen.right + seen.width].map((at) => (at - all.left) / all.width);
    const [top, bottom] = [seen.top - seen.height, seen.bottom + seen.height].map((at) => (at - all.top) / all.height);
    for (const it of this.#placed) {
      this.#set(it, it.right < left || it.left > right || it.bottom < top || it.top > bottom);
    }
  }

  /**
   * Draws the part that holds this, so that it has a place.
   * @param {Element} within
   */
  draw(within) {
    const found = this.#placed.find(({ part }) => part.contains(within));
    if (found !== undefined) this.#set(found, false);
  }

  /**
   * @param {Placed} it
   * @param {boolean} isFar
   */
  #set(it, isFar) {
    if (it.isFar === isFar) return;
    it.isFar = isFar;
    it.part.toggleAttribute('data-far', isFar);
  }
}
