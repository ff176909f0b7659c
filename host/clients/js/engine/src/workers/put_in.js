// What the worker puts into the texts of a payload (rule R29): secrets, and the execution's
// id. The item lists where these texts stand.

import { quoted, templateParts, utf8, utf8Length } from '@refrain/audit/host';
import { WorkError } from '../errors.js';
import { PAYLOAD_BYTES_MAX, SECRET_BYTES_MAX, SECRET_BYTES_MIN } from '../limits.js';
import { Masks } from './masks.js';

/**
 * Where the values of secrets come from: undefined if there is none of this name. What it
 * throws is the failure of the attempt, and must hold nothing secret.
 * @typedef {(name: string, tenant: string) => string | undefined | Promise<string | undefined>} Secrets
 */

/**
 * The kind of an item's node with all values put in, and what is to be hidden of what the
 * worker says.
 * @param {import('@refrain/audit/host').WorkItem} item
 * @param {string} execution
 * @param {Secrets | undefined} secrets
 * @returns {Promise<{kind: any, masks: Masks}>}
 */
export async function putIn(item, execution, secrets) {
  const payload = JSON.parse(item.payload);
  if (payload.templates === undefined || payload.templates.length === 0) {
    return { kind: payload.kind, masks: Masks.none };
  }
  const values = new Values(item.tenant, execution, secrets);
  for (const pointer of payload.templates) await putInto(payload, pointer, values);
  if (utf8Length(JSON.stringify(payload)) > PAYLOAD_BYTES_MAX) {
    throw new WorkError(`with its secrets, the payload has more than ${PAYLOAD_BYTES_MAX} bytes`, {
      retryable: false,
      class: 'too_large',
    });
  }
  return { kind: payload.kind, masks: values.masks() };
}

/**
 * @param {any} payload
 * @param {string} pointer
 * @param {Values} values
 */
async function putInto(payload, pointer, values) {
  const steps = pointer
    .split('/')
    .slice(1)
    .map((step) => step.replace(/~1/g, '/').replace(/~0/g, '~'));
  const last = steps.pop() ?? '';
  const holder = steps.reduce((at, step) => at?.[step], payload);
  const parts = typeof holder?.[last] === 'string' ? templateParts(holder[last]) : undefined;
  if (parts === undefined) {
    throw new WorkError(`the payload lists ${pointer} as a template, and there is none`, { retryable: false });
  }
  const isWhole = parts.putsIn.length === 1 && parts.texts.every((text) => text === '');
  const inUrl = payload.kind.type === 'http' && pointer === '/kind/url' && !isWhole;
  let text = parts.texts[0];
  for (const [place, name] of parts.putsIn.entries()) {
    text += name === 'execution_id' ? values.execution : await values.secret(name.slice('secret.'.length), inUrl);
    text += parts.texts[place + 1];
  }
  holder[last] = text;
}

/** The values of an attempt. */
class Values {
  /** By name. @type {Map<string, string>} */
  #known = new Map();
  /** Names, each with a spelling of its value that is to be hidden. @type {[string, string][]} */
  #hidden = [];
  #tenant;
  #secrets;

  /**
   * @param {string} tenant
   * @param {string} execution
   * @param {Secrets | undefined} secrets
   */
  constructor(tenant, execution, secrets) {
    this.#tenant = tenant;
    this.execution = execution;
    this.#secrets = secrets;
  }

  /**
   * The value of a secret, as it stands in the text.
   * @param {string} name
   * @param {boolean} inUrl whether it is a part of a URL
   */
  async secret(name, inUrl) {
    const value = this.#known.get(name) ?? (await this.#ask(name));
    if (!this.#known.has(name)) this.#hidden.push([name, value], [name, JSON.stringify(value).slice(1, -1)]);
    this.#known.set(name, value);
    if (!inUrl) return value;
    const spelled = percent(value);
    this.#hidden.push([name, spelled]);
    return spelled;
  }

  masks() {
    for (const [name, value] of this.#hidden) {
      const other = [...this.#known.keys()].find((known) => `***${known}***`.includes(value));
      if (other !== undefined) {
        throw unusable(
          `the value of the secret ${name} is a part of the name of ${other}, and could not be hidden; use another name`,
        );
      }
    }
    return new Masks(this.#hidden);
  }

  /** @param {string} name */
  async #ask(name) {
    const value = await this.#secrets?.(name, this.#tenant);
    if (value === undefined) {
      const text = `there is no secret ${name} of the tenant ${quoted(this.#tenant)} here; let the engine's \`secrets\` answer it, and try again`;
      throw new WorkError(text, { retryable: false, class: 'unknown_secret' });
    }
    if (typeof value !== 'string') throw unusable(`the secret ${name} is no text`);
    const bytes = utf8Length(value);
    if (bytes < SECRET_BYTES_MIN) {
      throw unusable(
        `the secret ${name} has fewer than ${SECRET_BYTES_MIN} bytes: it would be found in too many texts`,
      );
    }
    if (bytes > SECRET_BYTES_MAX) throw unusable(`the secret ${name} has more than ${SECRET_BYTES_MAX} bytes`);
    return value;
  }
}

/** @param {string} text */
function unusable(text) {
  return new WorkError(text, { retryable: false, class: 'unusable_secret' });
}

/**
 * A text as a part of a URL, as expressions are inserted there.
 * @param {string} text
 */
function percent(text) {
  const spelled = Array.from(utf8(text), (byte) => {
    const sign = String.fromCharCode(byte);
    return /[A-Za-z0-9._~-]/.test(sign) ? sign : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
  return spelled.join('');
}
