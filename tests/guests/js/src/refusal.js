// Why an event may not stand where it stands.

/** A fact that is not taken, or an event of the log that may not be there. */
export class Refusal extends Error {
  /**
   * @param {string} code one of `refusal-code`
   * @param {string} message what is wrong, and what would be right
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * Refuses with this code, if the condition does not hold. A message with values in it is a
 * function: most conditions hold, and nobody asks for their messages.
 */
export function must(condition, code, message) {
  if (!condition) throw new Refusal(code, typeof message === 'function' ? message() : message);
}
