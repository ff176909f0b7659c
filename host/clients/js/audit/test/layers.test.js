import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

const SOURCE = fileURLToPath(new URL('../src/', import.meta.url));

/** The folders, from the bottom up; what stands in none is below them. */
const LAYERS = ['', 'json', 'component', 'log', 'contract', 'orders', 'render', 'audit', 'travel', 'contained', 'node'];

/** The doors of the package stand above all. */
const DOORS = ['index.js', 'host.js'];

/** Each module, and the modules that it imports. */
const modules = new Map(
  readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.js'))
    .map((path) => {
      const text = readFileSync(join(SOURCE, path), 'utf8');
      const imports = [...text.matchAll(/^(?:import|export) [^;]*? from '(\.[^']*)';/gms)].map(([, to]) => relative(SOURCE, join(SOURCE, dirname(path), to)));
      return [path, { text, imports }];
    }),
);

/** @param {string} path */
const layerOf = (path) => (DOORS.includes(path) ? LAYERS.length : LAYERS.indexOf(path.includes('/') ? dirname(path) : ''));

test('a module imports only what stands below it', () => {
  assert.ok(modules.size > 40);
  for (const [path, { imports }] of modules) {
    assert.ok(layerOf(path) >= 0, path);
    for (const to of imports) {
      assert.ok(modules.has(to), `${path} imports ${to}`);
      // The command line is built on the package's door.
      const isAllowed = layerOf(to) <= layerOf(path) || (path === 'node/command.js' && to === 'index.js');
      assert.ok(isAllowed, `${path} imports ${to}`);
    }
  }
});

test('no module is built on itself', () => {
  /** @type {Set<string>} */
  const done = new Set();
  const visit = (/** @type {string} */ path, /** @type {string[]} */ way) => {
    assert.ok(!way.includes(path), [...way, path].join(' -> '));
    if (done.has(path)) return;
    for (const to of modules.get(path)?.imports ?? []) visit(to, [...way, path]);
    done.add(path);
  };
  for (const path of modules.keys()) visit(path, []);
});

test('what runs in browsers asks for nothing of Node, and makes no code of texts', () => {
  for (const [path, { text }] of modules) {
    if (!path.startsWith('node/')) assert.ok(!/from 'node:|require\(/.test(text), path);
    assert.ok(!/\beval\(|new Function\(/.test(text), path);
    assert.ok(text.split('\n').length <= 400, `${path} is longer than 400 lines`);
  }
});
