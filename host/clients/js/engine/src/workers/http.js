// A worker of the queue `http`, by the platform's `fetch`: makes the request that the node
// names.
//
// A JSON object in the answer is the output and the patch, other JSON or text goes under the
// node's id; status and headers are in the telemetry. What a further attempt may cure is
// retryable. Two things differ from other hosts, because pages are told no more: a redirect
// is followed by the browser, so that one to another origin is refused when it was followed
// already; and requests to other origins need these to allow it (CORS).

import { digest, utf8Length } from '@refrain/audit/host';
import { WorkError, said } from '../errors.js';
import {
  HTTP_ERROR_BYTES_MAX,
  HTTP_IDEMPOTENCY_KEY_BYTES_MAX,
  HTTP_KEPT_HEADERS_BYTES_MAX,
  HTTP_TIMEOUT_MS,
  PAYLOAD_BYTES_MAX,
} from '../limits.js';
import { Answer } from '../values/facts.js';
import { faultOf, json } from '../values/json_text.js';
import { shortened } from '../values/texts.js';

/** @typedef {import('./attempt.js').WorkerItem} WorkerItem */
/** @typedef {import('./attempt.js').WorkerContext} WorkerContext */

/**
 * A worker for the queue `http`.
 * @param {{fetch?: typeof globalThis.fetch}} [options]
 * @returns {import('./pool.js').Worker}
 */
export function httpWorker({ fetch = (input, init) => globalThis.fetch(input, init) } = {}) {
  return async (item, context) => {
    const request = requestOf(item, context);
    const timeout = AbortSignal.timeout(HTTP_TIMEOUT_MS);
    const signal = AbortSignal.any([context.signal, timeout]);
    const url = shownUrl(request.url);
    /** @type {Response} */
    let response;
    try {
      response = await fetch(request.url, { ...request.init, signal });
    } catch (thrown) {
      throw broken(`${url} could not be asked`, thrown, timeout);
    }
    if (
      response.type === 'opaqueredirect' ||
      (request.follow === 'never' && [301, 302, 303, 307, 308].includes(response.status))
    ) {
      throw new WorkError(
        `${url} answered with a redirect, which is not followed, as the node's \`follow_redirects\` says`,
        { retryable: false, class: 'redirect' },
      );
    }
    const isFollowed =
      request.follow === 'same_origin' &&
      response.redirected &&
      new URL(response.url).origin !== new URL(request.url).origin;
    if (isFollowed) {
      throw new WorkError(
        `${url} led to another origin, ${new URL(response.url).origin}; name that address in the node's \`url\`, or set \`follow_redirects\` to "anywhere"`,
        { retryable: false, class: 'redirect' },
      );
    }
    try {
      return response.ok ? await success(response, request.init.method) : await refused(response, url);
    } catch (thrown) {
      throw thrown instanceof WorkError ? thrown : broken(`${url} answered, and the answer broke off`, thrown, timeout);
    }
  };
}

/**
 * @param {WorkerItem} item
 * @param {WorkerContext} context
 */
function requestOf({ kind, inputText }, { idempotencyKey }) {
  const method = (kind.method ?? 'GET').toUpperCase();
  const url = filled(kind.url);
  const hasDots = /^[^?#]*\/(?:\.|%2e){1,2}(?:[/?#]|$)/i.test(url);
  if (hasDots) {
    throw new WorkError(
      'the value at /kind/url has a segment `.` or `..` in its path, which servers take for another path; write the path without it',
      { retryable: false, class: 'unusable_value' },
    );
  }
  const named = Object.entries(kind.headers ?? {});
  const headers = new Headers({ 'idempotency-key': keyOf(idempotencyKey) });
  for (const [name, value] of named) setHeader(headers, name, filled(value));
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const body = kind.body === undefined ? inputText : kind.body === '' ? '' : JSON.stringify(kind.body);
  if (hasBody && body !== '' && !headers.has('content-type')) headers.set('content-type', 'application/json');
  const follow = kind.follow_redirects ?? 'same_origin';
  const init = /** @type {const} */ ({
    method,
    headers,
    body: hasBody && body !== '' ? body : undefined,
    redirect: follow === 'never' ? 'manual' : 'follow',
  });
  return { url, follow, init };
}

/**
 * A text, or another value as its JSON text: what an expression came to.
 * @param {unknown} value
 * @returns {string}
 */
function filled(value) {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** @param {string} key */
function keyOf(key) {
  return key.length > HTTP_IDEMPOTENCY_KEY_BYTES_MAX ? digest(key) : key;
}

/**
 * @param {Headers} headers
 * @param {string} name
 * @param {string} value
 */
function setHeader(headers, name, value) {
  try {
    headers.set(name, value);
  } catch {
    // The error would repeat the value, which may hold a secret.
    throw new WorkError(`the value at /kind/headers/${name} cannot stand in a header`, {
      retryable: false,
      class: 'unusable_value',
    });
  }
}

/**
 * @param {Response} response
 * @param {string} method
 */
async function success(response, method) {
  const text = (await bodyOf(response)).replace(/^\ufeff/, '').trim();
  const telemetry = { http: { status: response.status, headers: keptHeaders(response.headers) } };
  if (text === '') return new Answer({ output: null, statePatch: {}, telemetry });
  const isCalledJson =
    method !== 'HEAD' && /^(?:application|text)\/(?:[^;]*\+)?json\b/i.test(response.headers.get('content-type') ?? '');
  if (isJson(text)) {
    const fault = faultOf(text, PAYLOAD_BYTES_MAX);
    if (fault !== undefined) {
      throw new WorkError(`the request was answered with JSON that is not accepted: ${fault}`, { retryable: false });
    }
    return new Answer({ output: json(text), telemetry });
  }
  if (isCalledJson) {
    throw new WorkError('the request was answered with what it calls JSON and is none', { retryable: false });
  }
  return new Answer({ output: text, telemetry });
}

/** @param {string} text */
function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** @param {Response} response */
async function bodyOf(response) {
  const bytes = await response.arrayBuffer();
  if (bytes.byteLength > PAYLOAD_BYTES_MAX) {
    throw new WorkError(`the request was answered with more than ${PAYLOAD_BYTES_MAX} bytes; ask for less`, {
      retryable: false,
    });
  }
  return new TextDecoder().decode(bytes);
}

/**
 * The failure that a status means.
 * @param {Response} response
 * @param {string} url
 * @returns {Promise<never>}
 */
async function refused(response, url) {
  const { status } = response;
  const body = shortened(await response.text(), HTTP_ERROR_BYTES_MAX);
  const after = response.headers.get('retry-after');
  const retryAfterMs = after !== null && /^[0-9]{1,9}$/.test(after.trim()) ? Number(after) * 1000 : undefined;
  const [retryable, name] =
    status === 429 || status === 425
      ? [true, 'rate_limit']
      : status === 408
        ? [true, 'timeout']
        : status >= 500
          ? [true, 'server_error']
          : [false, 'client_error'];
  throw new WorkError(`${url} answered ${status}: ${body}`, { retryable, class: name, retryAfterMs });
}

/**
 * @param {string} what
 * @param {unknown} thrown
 * @param {AbortSignal} timeout
 */
function broken(what, thrown, timeout) {
  if (timeout.aborted) {
    return new WorkError(`${what}: there was no answer within ${HTTP_TIMEOUT_MS} ms`, { class: 'timeout' });
  }
  return new WorkError(`${what}: ${said(thrown)}`, { class: 'io_error' });
}

/** A URL without its password and what is asked: it becomes an event, and stays. @param {string} url */
function shownUrl(url) {
  return url.replace(/^([a-z]+:\/\/)[^/@]*@/i, '$1***@').replace(/[?#].*$/s, '');
}

const UNKEPT = new Set(['connection', 'transfer-encoding', 'upgrade', 'keep-alive', 'set-cookie']);

/** @param {Headers} headers */
function keptHeaders(headers) {
  /** @type {Record<string, string>} */
  const kept = {};
  let room = HTTP_KEPT_HEADERS_BYTES_MAX;
  headers.forEach((value, name) => {
    const bytes = name.length + utf8Length(value);
    if (UNKEPT.has(name) || bytes > room) return;
    room -= bytes;
    kept[name] = /auth|token|secret|key|cookie/i.test(name) ? '***' : value;
  });
  return kept;
}
