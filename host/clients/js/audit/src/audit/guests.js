// The scheduler components that an audit can ask, by their digests.

import { ComponentError } from '../component/cursor.js';
import { GuestFailure } from '../contract/guest.js';
import { AuditError } from './divergence.js';
import { Player } from './player.js';

/** @typedef {import('../contract/component.js').Component} Component */
/** @typedef {import('../log/recording.js').Recording} Recording */

/** Components at hand. */
export class Guests {
  /** @param {Iterable<Component>} components */
  constructor(components) {
    this.components = new Map([...components].map((it) => [it.digest, it]));
  }

  /** @param {string} digest */
  has(digest) {
    return this.components.has(digest);
  }

  /** @param {Component} component */
  add(component) {
    this.components.set(component.digest, component);
  }

  /**
   * A fresh instance of the component of this digest, to play a log.
   * @param {string} digest
   * @param {Recording} recording
   * @returns {Player}
   */
  player(digest, recording) {
    const component = this.components.get(digest);
    if (component === undefined) {
      throw new AuditError(
        `the scheduler component ${digest}, which the log names, is not at hand; give its file, or export the log with it (\`refrain export --with-guest\`)`,
      );
    }
    try {
      return new Player(component.instance(), recording);
    } catch (error) {
      if (!(error instanceof ComponentError) && !(error instanceof GuestFailure)) throw error;
      throw new AuditError(`the scheduler component ${digest} does not run: ${error.message}`, error);
    }
  }
}
