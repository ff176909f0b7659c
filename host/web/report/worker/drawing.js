// The script of a worker that draws one workflow, by the code that draws for the program.

import { PICTURE } from '../../built/picture.js';
import { unpacked } from '../base/packed.js';

/** @typedef {import('../view/drawing.js').Drawn} Drawn */

/**
 * The doors of the module that draws: room for a text, the picture of what was written there
 * or why there is none, and where that answer is.
 * @typedef {{memory: WebAssembly.Memory, room: (length: number) => number, draw: (isExecution: number) => number, answer: () => number, answer_length: () => number}} Doors
 */

/** Bytes of a workflow's text: as many as schedulers take. */
const WORKFLOW_BYTES_MAX = 16 * 1024 * 1024;

/** @returns {Promise<Doors>} */
async function opened() {
  const { instance } = await WebAssembly.instantiate(await unpacked(PICTURE));
  return /** @type {Doors} */ (/** @type {unknown} */ (instance.exports));
}

/**
 * @param {Doors} doors
 * @param {string} workflow
 * @param {boolean} isExecution
 * @returns {Drawn}
 */
function drawn(doors, workflow, isExecution) {
  const text = new TextEncoder().encode(workflow);
  if (text.length > WORKFLOW_BYTES_MAX) return { why: 'The text of the workflow is longer than 16 MiB, which no scheduler takes.' };
  const room = doors.room(text.length);
  new Uint8Array(doors.memory.buffer, room, text.length).set(text);
  const isDrawn = doors.draw(isExecution ? 1 : 0) === 1;
  const bytes = new Uint8Array(doors.memory.buffer, doors.answer(), doors.answer_length());
  const answer = new TextDecoder().decode(bytes);
  return isDrawn ? { svg: answer } : { why: answer };
}

addEventListener('message', async ({ data }) => {
  try {
    postMessage(drawn(await opened(), data.workflow, data.isExecution));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    postMessage({ why: `The workflow could not be drawn: ${why}.` });
  }
});
