// JSON that keeps its text. `JSON.parse` would make 1 of 1.0, and lose digits of long
// numbers; what belongs to people is handed on as they wrote it.

/** The text is no JSON object, or names a member twice. */
export class NoObject extends Error {}

/**
 * The members of a JSON object, each with its value's own text.
 * @param {string} text
 * @returns {Map<string, string>}
 */
export function members(text) {
  const value = parsed(text);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new NoObject('this is no JSON object');
  }
  // The grammar is checked, so that only the ends of values have to be found.
  const found = new Map();
  let at = next(BEGIN, text, text.indexOf('{') + 1);
  while (text[at] !== '}') {
    const keyEnd = endOfText(text, at);
    const key = JSON.parse(text.slice(at, keyEnd));
    if (found.has(key)) throw new NoObject(`the member ${JSON.stringify(key)} stands there twice`);
    at = next(BEGIN, text, text.indexOf(':', keyEnd) + 1);
    const end = endOfValue(text, at);
    found.set(key, text.slice(at, end));
    at = next(MEMBER, text, end);
  }
  return found;
}

/**
 * The text of an object with these members, sorted by their names.
 * @param {Map<string, string>} object
 */
export function textOf(object) {
  const sorted = [...object].sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${sorted.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',')}}`;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new NoObject('this is no JSON');
  }
}

/** What is not blank. */
const BEGIN = /[^ \t\n\r]/g;
/** A member's name, or the end of them. */
const MEMBER = /["}]/g;
/** What stands behind a number or a name. */
const BEHIND = /[,\]} \t\n\r]/g;
/** What counts where an object or a list is passed over. */
const TURN = /["[\]{}]/g;

/** The next place from this one on at which one of these stands. */
function next(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text).index;
}

function endOfText(text, at) {
  let quote = at;
  do quote = text.indexOf('"', quote + 1);
  while (isEscaped(text, quote));
  return quote + 1;
}

function isEscaped(text, at) {
  let before = at;
  while (text[before - 1] === '\\') before -= 1;
  return (at - before) % 2 === 1;
}

function endOfValue(text, at) {
  if (text[at] === '"') return endOfText(text, at);
  if (text[at] !== '{' && text[at] !== '[') return next(BEHIND, text, at);
  for (let depth = 0; ; at = next(TURN, text, at)) {
    if (text[at] === '"') {
      at = endOfText(text, at);
      continue;
    }
    depth += text[at] === '{' || text[at] === '[' ? 1 : -1;
    at += 1;
    if (depth === 0) return at;
  }
}
