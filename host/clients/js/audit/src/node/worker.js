// The worker of Node.

import { parentPort } from 'node:worker_threads';

import { serve } from '../contained/served.js';

parentPort?.once('message', (task) => {
  void serve(task, (news) => parentPort?.postMessage(news));
});
