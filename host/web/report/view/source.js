// What a report holds, out of the data blocks of its page.

import { unpackedText } from '../base/packed.js';

/** @typedef {import('./execution.js').Source} Source */

/**
 * The list of what is in the file.
 * @typedef {object} Contents
 * @property {string} made_by
 * @property {string} made_at
 * @property {'payloads' | 'masked' | 'none'} holds
 * @property {{log: string, picture?: string, masked?: string, components: string[]}[]} executions
 * The ids of their data blocks.
 */

/**
 * The text of a data block.
 * @param {string} id
 * @returns {string}
 */
function block(id) {
  const found = document.getElementById(id)?.textContent;
  if (found === undefined || found === null) throw new Error(`the file has no part ${id}: it is cut, or was changed`);
  return found;
}

/** @returns {Contents} */
export function contents() {
  return JSON.parse(block('refrain-report'));
}

/**
 * An execution of the file. The components that its log names stand in blocks of their own,
 * because executions share them; here they come to the place that an export has for them.
 * @param {Contents['executions'][number]} listed
 * @returns {Promise<Source>}
 */
export async function sourceOf(listed) {
  const log = await unpackedText(block(listed.log));
  const end = log.indexOf('\n') + 1;
  const components = listed.components.map((id) => `${block(id).trim()}\n`);
  return {
    text: `${log.slice(0, end)}${components.join('')}${log.slice(end)}`,
    picture: listed.picture === undefined ? undefined : await unpackedText(block(listed.picture)),
    masked: listed.masked === undefined ? undefined : maskedOf(await unpackedText(block(listed.masked))),
  };
}

/**
 * Lines of `{"sequence":…,"fields":{…}}`.
 * @param {string} text
 * @returns {Map<number, Map<string, string>>}
 */
function maskedOf(text) {
  const lines = text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
  return new Map(lines.map(({ sequence, fields }) => [sequence, new Map(Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value)]))]));
}
