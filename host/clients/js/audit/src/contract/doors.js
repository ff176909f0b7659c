// The contract's doors, version 0.2: what a guest may import, what it must export, and the
// types that these have, as the digests of their spelling. A test holds them against the
// component that comes with the package.

/** What a guest must export. */
export const EXPORT = 'refrain:scheduler/decisions@0.2.0';

/** Instances that a guest may import. */
export const IMPORTS = [
  'refrain:scheduler/types@0.2.0',
  'refrain:scheduler/storage@0.2.0',
  'refrain:scheduler/clock@0.2.0',
  'refrain:scheduler/queue@0.2.0',
];

/** The version of the contract. */
export const VERSION = '0.2.0';

/**
 * The functions, and the SHA-256 of how their types are spelled.
 * @type {{[func: string]: string}}
 */
export const SIGNATURES = {
  'storage.load-workflow': 'bc4bf24f74dc7611c30b647a29ee4ed6be774535e635270778c55adbc672aab3',
  'storage.load-snapshot': '7b5bb5de9f3169da6a9b5e7cd30a99d17a89196f9280054538bd43ee5f410b06',
  'storage.read-events': '15fa58d7d1e78d047ccde3fcae103b10273f72fd91e2441233c1f72d4b47ef71',
  'storage.append-events': '81df32792751657b6492c85974627e7ff70206d52df2d0964bd27b0780a9e8f4',
  'clock.now': '86be2386a4d3e499644e3dba41c0beff25ff3e6abea85c15156ec3354e12834d',
  'queue.order': '208532a028d9b69d5e3d942fad088a73136e36ac745ca864b19d98ce58ac8f22',
  'decisions.validate': 'ac1d8915fbcd20233ef7f1b8ebe4e4d8c4066deafb8a3ccdfbbf0da75be583a9',
  'decisions.step': '7628cb5b906e983acc546cc599f1726e8c9979dd772b3155004a83e67c945851',
  'decisions.explain': 'd5419aa9c763751c44516fbe6978e8ac6f5c1c58ca0ad0ecead9659742eba5dc',
  'decisions.inspect': '94a09392816d0fa2ad1299d2ce2e9202a864895d30d96439bdec3ce81e22a2b4',
  'decisions.snapshot': '2b1ff886399a02c95dfd84b1b0dd6c3a6a3b96cf1648e4d8a67d80ec846948a7',
  'decisions.forget': 'eb77dc41af3d0f0046a03af578188cdd3c67dcb5c61dff2d6f6dd0514264f73f',
  'decisions.describe': '78a0aef8c4b1f85cd7fcddba01ea500221cad7e3077384b1500574bb1e37dc5f',
};
