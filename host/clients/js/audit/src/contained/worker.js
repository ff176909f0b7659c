// The worker of a browser, Deno or Bun.

import { serve } from './served.js';

const scope = /** @type {{postMessage: (message: any) => void, onmessage: unknown}} */ (
  /** @type {unknown} */ (globalThis)
);

scope.onmessage = (/** @type {MessageEvent} */ event) => {
  void serve(event.data, (news) => scope.postMessage(news));
};
