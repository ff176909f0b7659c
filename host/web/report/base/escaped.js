// Foreign text as it may be shown: what does something instead of being seen is spelled out.

/**
 * Characters that control, end a line, change the direction of what follows, or hide.
 */
const STEERING =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** @type {Record<string, string>} */
const SHORT = { '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/**
 * The same text in one line, each such character spelled out (`\n`, `\u{202e}`).
 * @param {string} text
 * @returns {string}
 */
export function escaped(text) {
  return text.replace(STEERING, (it) => SHORT[it] ?? `\\u{${(it.codePointAt(0) ?? 0).toString(16)}}`);
}

/**
 * The beginning of a text, up to so many characters, escaped.
 * @param {string} text
 * @param {number} most
 * @returns {string}
 */
export function clipped(text, most) {
  if (text.length <= most) return escaped(text);
  // No half of a character that takes two units.
  const end = /[\ud800-\udbff]/.test(text.charAt(most - 1)) ? most - 1 : most;
  return `${escaped(text.slice(0, end))}…`;
}
