// Scheduler components at work: at most one instance of each. An instance can be dropped at
// any time; a fresh one gives the same answers.

import { Component, ComponentError, GuestFailure } from '@refrain/audit/host';
import { EXECUTIONS_KNOWN_MAX } from './limits.js';

/** @typedef {import('@refrain/audit/host').Guest} Guest */

/** Instances by the digest of their component. */
export class Guests {
  #store;
  /** @type {Map<string, Component>} */
  #components = new Map();
  /** With the executions that each keeps in mind, the one asked about longest ago first. @type {Map<string, {guest: Guest, known: Set<string>}>} */
  #live = new Map();

  /**
   * @param {import('./store/contract.js').Store} store
   * @param {Component} own the component that new executions belong to
   * @param {Uint8Array} bytes its bytes
   */
  constructor(store, own, bytes) {
    this.#store = store;
    this.own = own.digest;
    this.bytes = bytes;
    this.#components.set(own.digest, own);
  }

  /**
   * The instance that is asked about an execution.
   * @param {string} digest
   * @param {string} id
   * @returns {Promise<Guest>}
   */
  async get(digest, id) {
    const live = this.#live.get(digest) ?? { guest: await this.#instance(digest), known: new Set() };
    this.#live.set(digest, live);
    live.known.delete(id);
    live.known.add(id);
    if (live.known.size > EXECUTIONS_KNOWN_MAX) {
      const [longestAgo] = live.known;
      this.forget(digest, longestAgo);
    }
    return live.guest;
  }

  /**
   * What the own component says of a workflow, in a fresh instance if it fails.
   * @param {string} text
   */
  async validate(text) {
    for (;;) {
      const wasLive = this.#live.has(this.own);
      const live = this.#live.get(this.own) ?? { guest: await this.#instance(this.own), known: new Set() };
      this.#live.set(this.own, live);
      try {
        return live.guest.validate(text);
      } catch (thrown) {
        this.discard(this.own);
        if (!wasLive || !(thrown instanceof GuestFailure)) throw thrown;
      }
    }
  }

  /**
   * Drops an instance. What it has in mind is only a cache.
   * @param {string} digest
   */
  discard(digest) {
    this.#live.delete(digest);
  }

  discardAll() {
    this.#live.clear();
  }

  /**
   * The execution is forgotten by its scheduler.
   * @param {string} digest
   * @param {string} id
   */
  forget(digest, id) {
    const live = this.#live.get(digest);
    if (live === undefined || !live.known.delete(id)) return;
    try {
      live.guest.forget(id);
    } catch (thrown) {
      if (!(thrown instanceof GuestFailure)) throw thrown;
      // One that cannot even forget forgets with its instance.
      this.discard(digest);
    }
  }

  /** @param {string} digest */
  async #instance(digest) {
    try {
      const component = this.#components.get(digest) ?? (await this.#fetch(digest));
      this.#components.set(digest, component);
      return component.instance();
    } catch (thrown) {
      if (thrown instanceof ComponentError) throw new GuestFailure(thrown.message, thrown);
      throw thrown;
    }
  }

  /** @param {string} digest */
  async #fetch(digest) {
    const bytes = await this.#store.component(digest);
    if (bytes === undefined) throw new GuestFailure(`the component ${digest} is not in this store`);
    const component = await Component.load(bytes);
    if (component.digest !== digest) {
      throw new GuestFailure(`what the store keeps as component ${digest} has the digest ${component.digest}`);
    }
    return component;
  }
}
