// Types as they are, once the indexes of their definitions are resolved: structures.

/**
 * A type of values. A `same` is gone here; `parts` are the fields, cases or elements.
 * @typedef {object} ValueType
 * @property {string} kind A primitive's name, or `record`, `variant`, `list` and so on.
 * @property {{name: string, type: ValueType | null}[]} parts
 * @property {import('./primitives.js').Layout} [layout] How it stands in memory, once that is known.
 */

/**
 * @typedef {object} FuncType
 * @property {'func'} kind
 * @property {{name: string, type: ValueType}[]} params
 * @property {ValueType | null} result
 */

/**
 * @typedef {object} InstanceType
 * @property {'instance'} kind
 * @property {Map<string, {sort: string, type: any}>} exports
 */

/** A component's type: nothing is asked of it. @typedef {{kind: 'component'}} ComponentType */

/** @typedef {ValueType | FuncType | InstanceType | ComponentType} Type */

/**
 * A type in one line, the same for the same structure: what two sides must agree on.
 * @param {ValueType | FuncType} type
 * @returns {string}
 */
export function spelled(type) {
  if (type.kind === 'func') {
    const func = /** @type {FuncType} */ (type);
    const params = func.params.map((param) => `${param.name}:${spelled(param.type)}`);
    return `func(${params.join()})->${func.result === null ? '_' : spelled(func.result)}`;
  }
  const { kind, parts } = /** @type {ValueType} */ (type);
  if (parts.length === 0) return kind;
  const each = parts.map((part) => `${part.name}:${part.type === null ? '_' : spelled(part.type)}`);
  return `${kind}(${each.join()})`;
}
