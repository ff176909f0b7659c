// Functions of components over those of core modules, and the other way round.

import { layoutOf, aligned } from './values.js';
import { Space } from './space.js';
import { Trap } from './trap.js';

/** @typedef {import('./types.js').FuncType} FuncType */

/**
 * A function of a component: its type, and how it is called with JavaScript's values.
 * @typedef {{type: FuncType, call: (args: any[]) => any}} Func
 */

/** More parameters than this are handed over in memory. */
const FLAT_PARAMS_MAX = 16;

/**
 * What a function's parameters and result come to.
 * @param {FuncType} type
 */
function signature(type) {
  const params = type.params.map((param) => layoutOf(param.type));
  const result = type.result === null ? null : layoutOf(type.result);
  let [at, align] = [0, 1];
  const places = params.map((param) => {
    const place = aligned(at, param.align);
    at = place + param.size;
    align = Math.max(align, param.align);
    return place;
  });
  return {
    params,
    places,
    size: at,
    align,
    result,
    areInMemory: params.reduce((count, param) => count + param.flat.length, 0) > FLAT_PARAMS_MAX,
    isInMemory: result !== null && result.flat.length > 1,
  };
}

/**
 * A core function as one of a component (`canon lift`).
 * @param {FuncType} type
 * @param {Function} core
 * @param {Space} space
 * @param {Function | null} postReturn
 * @returns {Func}
 */
export function lifted(type, core, space, postReturn) {
  const { params, places, size, align, result, areInMemory, isInMemory } = signature(type);
  /** @param {any[]} args */
  const call = (args) => {
    if (!space.owner.mayEnter) throw new Trap('a call into an instance that is in another call', 'crashed');
    space.owner.mayEnter = false;
    space.refresh();
    /** @type {any[]} */
    const flat = [];
    if (areInMemory) {
      const place = space.allocate(size, align);
      params.forEach((param, i) => param.store(space, place + places[i], args[i]));
      flat.push(place);
    } else {
      for (let i = 0; i < params.length; i += 1) params[i].lower(space, args[i], flat);
    }
    const answer = core(...flat);
    const value = result === null ? null : answered(answer);
    if (postReturn !== null) {
      space.owner.mayLeave = false;
      postReturn(...(answer === undefined ? [] : [answer]));
      space.owner.mayLeave = true;
    }
    space.owner.mayEnter = true;
    return value;
  };
  /** @param {any} answer */
  const answered = (answer) => {
    const { load, lift, size: bytes, align: to } = /** @type {import('./primitives.js').Layout} */ (result);
    if (!isInMemory) return lift(space, { values: [answer], at: 0 });
    space.refresh();
    space.check(answer >>> 0, bytes, to);
    return load(space, answer >>> 0);
  };
  return { type, call };
}

/**
 * A function of a component as a core one (`canon lower`).
 * @param {Func} func
 * @param {Space} space
 * @returns {(...flat: any[]) => any}
 */
export function lowered(func, space) {
  const { params, places, size, align, result, areInMemory, isInMemory } = signature(func.type);
  /** @param {any[]} flat */
  const call = (flat) => {
    if (!space.owner.mayLeave) throw new Trap('a call out of an instance that may not make one now', 'crashed');
    space.refresh();
    const from = { values: flat, at: 0 };
    /** @type {any[]} */
    let args;
    if (areInMemory) {
      const place = flat[0] >>> 0;
      from.at = 1;
      space.check(place, size, align);
      args = params.map((param, i) => param.load(space, place + places[i]));
    } else {
      args = params.map((param) => param.lift(space, from));
    }
    const value = func.call(args);
    if (result === null) return undefined;
    space.refresh();
    if (!isInMemory) {
      /** @type {any[]} */
      const to = [];
      result.lower(space, value, to);
      return to[0];
    }
    const place = flat[from.at] >>> 0;
    space.check(place, result.size, result.align);
    result.store(space, place, value);
    return undefined;
  };
  return (...flat) => {
    try {
      return call(flat);
    } catch (error) {
      // A module may catch what is thrown here; the call has failed all the same.
      space.allowance.failed ??= error;
      throw error;
    }
  };
}
