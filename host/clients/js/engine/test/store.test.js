import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { test } from 'node:test';
import { IndexedDbStore, MemoryStore } from '../src/index.js';
import { storeLaws } from '../src/store/laws.js';

for (const { name, holds } of storeLaws) {
  test(`memory: ${name}`, () => {
    const store = new MemoryStore();
    return holds(async () => store);
  });
  test(`IndexedDB: ${name}`, () => {
    const options = { factory: new IDBFactory(), ranges: IDBKeyRange };
    return holds(() => IndexedDbStore.open('laws', options));
  });
}
