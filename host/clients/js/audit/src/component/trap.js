// How a guest fails in the middle of a call.

/** A guest did what it may not, or crashed: its instance is of no more use. */
export class Trap extends Error {
  /**
   * @param {string} problem
   * @param {'malformed' | 'too_much' | 'out_of_place' | 'crashed' | 'stack' | 'spent'} [how]
   */
  constructor(problem, how = 'malformed') {
    super(problem);
    this.name = 'Trap';
    this.how = how;
  }
}
