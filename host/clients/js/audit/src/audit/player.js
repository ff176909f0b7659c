// A guest that plays a recording: it sees the log's first events, and whatever it does is
// compared with the rest. What it is asked changes nothing.

import { ReplayPorts } from './ports.js';

/** @typedef {import('../bytes.js').Whole} Whole */

/** A guest, and one log that it sees the first events of. */
export class Player {
  /**
   * @param {import('../contract/guest.js').Guest} guest One that has seen nothing of this log.
   * @param {import('../log/recording.js').Recording} recording
   */
  constructor(guest, recording) {
    this.guest = guest;
    this.recording = recording;
    this.ports = new ReplayPorts(recording);
  }

  /**
   * Lets the guest decide, with the clock at this time: an `outcome`. It has seen the facts
   * in the log, so that it is offered none.
   * @param {Whole} time
   * @returns {any}
   */
  step(time) {
    const { ports } = this;
    ports.begin(time);
    const outcome = this.guest.step(ports, this.recording.executionId, ports.shown, []);
    if (ports.mismatch === null) ports.checkOrders();
    return outcome;
  }

  /** The state after the events shown. */
  inspect() {
    this.ports.begin(this.lastAt);
    return this.guest.inspect(this.ports, this.recording.executionId);
  }

  /**
   * Why a node is where it is after the events shown.
   * @param {string} nodeId
   */
  explain(nodeId) {
    this.ports.begin(this.lastAt);
    return this.guest.explain(this.ports, this.recording.executionId, nodeId);
  }

  get lastAt() {
    return this.recording.kept[this.ports.shown - 1]?.event.at ?? 0;
  }
}
