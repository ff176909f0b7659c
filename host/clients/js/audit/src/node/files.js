// What the command line is given: files, folders of logs, and stdin.

import { closeSync, existsSync, openSync, readSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A command was not typed as it should be, or what it names cannot be read. */
export class CommandError extends Error {
  /**
   * @param {string} code
   * @param {string} problem
   */
  constructor(code, problem) {
    super(problem);
    this.code = code;
  }
}

/**
 * The bytes of a file of at most so many.
 * @param {string} path
 * @param {string} code
 * @param {string} what
 * @param {number} bytesMax
 */
export function read(path, code, what, bytesMax) {
  try {
    if (path === '-') return upTo(bytesMax, STDIN);
    const file = openSync(path, 'r');
    try {
      return upTo(bytesMax, file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new CommandError(code, `cannot read the ${what} ${path}: ${said(error)}`);
  }
}

const STDIN = 0;

/** Bytes that are read at once. */
const CHUNK_BYTES = 1024 * 1024;

/**
 * All bytes of a file. A pipe or a device says how many they are only by ending.
 * @param {number} bytesMax
 * @param {number} file
 */
function upTo(bytesMax, file) {
  /** @type {Uint8Array[]} */
  const chunks = [];
  const room = new Uint8Array(CHUNK_BYTES);
  let size = 0;
  for (;;) {
    const read = readSync(file, room);
    if (read === 0) return joined(chunks, size);
    size += read;
    if (size > bytesMax) throw new Error(`it is longer than ${bytesMax} bytes, which is the limit`);
    chunks.push(room.slice(0, read));
  }
}

/**
 * @param {Uint8Array[]} chunks
 * @param {number} size Of all of them.
 */
function joined(chunks, size) {
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/**
 * The logs that are meant: of a folder, those in it, by their names.
 * @param {string} path
 * @returns {string[]}
 */
export function logsAt(path) {
  if (path === '-' || !existsSync(path)) return [path];
  let logs;
  try {
    if (!statSync(path).isDirectory()) return [path];
    logs = readdirSync(path).filter((name) => name.endsWith('.ndjson'));
  } catch (error) {
    throw new CommandError('log_unreadable', `cannot read the folder ${path}: ${said(error)}`);
  }
  if (logs.length > 0) return logs.sort().map((name) => join(path, name));
  throw new CommandError('log_unreadable', `there is no log in the folder ${path}: none of its files ends in .ndjson`);
}

/** @param {unknown} error */
export function said(error) {
  return error instanceof Error ? error.message : String(error);
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The text of a file of at most so many bytes.
 * @param {string} path
 * @param {string} code
 * @param {string} what
 * @param {number} bytesMax
 */
export function readText(path, code, what, bytesMax) {
  const bytes = read(path, code, what, bytesMax);
  const refused = (/** @type {string} */ problem) => new CommandError(code, `cannot read the ${what} ${path}: ${problem}`);
  let text;
  try {
    text = UTF8.decode(bytes);
  } catch {
    throw refused('it is no text in UTF-8');
  }
  if (text.startsWith('\ufeff')) throw refused('it begins with a byte order mark; save it as UTF-8 without one');
  return text;
}
