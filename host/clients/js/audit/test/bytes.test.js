import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { add, byBytes, fromHex, hex, isHex, utf8, utf8Length, whole } from '../src/bytes.js';
import { Sha256, digest, sha256 } from '../src/sha256.js';

test('known digests', () => {
  for (const [text, expected] of [
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
    ['a'.repeat(1_000_000), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
  ]) {
    assert.equal(digest(text), expected);
  }
});

test('every length, however it is cut, hashes as elsewhere', () => {
  for (let length = 0; length < 260; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, place) => (place * 7 + length) & 0xff);
    const expected = createHash('sha256').update(bytes).digest('hex');
    assert.equal(hex(sha256(bytes)), expected, `${length}`);
    const cut = Math.floor(length / 3);
    const hash = new Sha256().update(bytes.subarray(0, cut)).update(bytes.subarray(cut));
    assert.equal(hex(hash.digest()), expected, `${length} cut at ${cut}`);
  }
});

test('hexadecimal digits come back', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  assert.deepEqual(fromHex(hex(bytes)), bytes);
  assert.ok(isHex(hex(bytes), 256));
  for (const other of ['0', '0g', 'AB', '0x']) assert.ok(!isHex(other, 1), other);
});

test('texts have the bytes that they are counted for', () => {
  for (const text of ['', 'abc', 'ü', '漢字', '😀', 'a\u0000b', '\ufeff']) {
    assert.equal(utf8Length(text), utf8(text).length, text);
  }
});

test('whole numbers that are equal are the same', () => {
  assert.equal(whole(2n ** 53n - 1n), 2 ** 53 - 1);
  assert.equal(whole(2n ** 53n), 2n ** 53n);
  assert.equal(add(2 ** 53 - 1, 1), 2n ** 53n);
  assert.equal(add(1, 2), 3);
});

test('texts are ordered by their bytes', () => {
  const texts = ['', 'a', 'ab', 'b', 'ü', '\uffff', '😀'];
  assert.deepEqual([...texts].reverse().sort(byBytes), texts);
});
