// The rooms of the house and the one direction of its arrows (CONTRIBUTING.md): `npm run check` fails where a file
// imports from a later room, where files or folders import each other in a circle, and where types alone do so.

/** The rooms, lowest first: each may import itself and those before it. */
const ROOMS = [
  'src/base',
  'src/cli',
  'src/random',
  'src/numeric',
  'src/files',
  'src/events',
  'src/engine',
  'src/data',
  'src/model',
  'src/adapters',
  'src/tasks',
  'src/train',
  'src/study',
  'src/report',
  'src/loggers',
  'operators',
  'src/experiment',
  'src/dashboard',
  'exports',
  'recipes',
];

const noUpwards = ROOMS.slice(0, -1).map((room, i) => ({
  name: `${room.replace('src/', '')}-imports-lower-rooms-only`,
  severity: 'error',
  from: { path: `^${room}/` },
  to: { path: `^(${ROOMS.slice(i + 1).join('|')})/` },
}));

export default {
  forbidden: [
    ...noUpwards,
    { name: 'no-file-circle', severity: 'error', from: {}, to: { circular: true } },
    {
      // Not of src as one folder: operators lie between its rooms.
      name: 'no-folder-circle',
      severity: 'error',
      scope: 'folder',
      from: { path: '^(src/.+|operators|exports|bench)' },
      to: { circular: true },
    },
    {
      name: 'the-core-knows-no-rxjs',
      severity: 'error',
      from: { path: '^src/(engine|data|model|adapters|tasks|train)/' },
      to: { path: '(^|/)rxjs(/|$)' },
    },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { path: '^(src|operators|exports|recipes|bench)/' },
      to: { path: '^test/' },
    },
    { name: 'unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    parser: 'swc',
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|native/build)/|\\.d\\.ts$' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node'],
      extensions: ['.ts', '.js', '.mjs', '.cjs'],
    },
  },
};
