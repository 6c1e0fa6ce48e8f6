// Builds docs/browser.html, one file that needs no server and no network: node browser/build.mjs
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const { outputFiles } = await build({
  entryPoints: [here('page.ts')],
  bundle: true,
  minify: true,
  write: false,
  format: 'esm',
  target: 'es2023',
  // tfjs in the form of modules, of which the bundle holds one instance.
  mainFields: ['module', 'main'],
  conditions: ['browser'],
  // tfjs-core asks for these in Node alone.
  external: [
    'util',
    'node-fetch',
    'crypto',
    'fs',
    'path',
    'perf_hooks',
    'worker_threads',
    'os',
    'string_decoder',
  ],
  plugins: [
    {
      name: 'tfjs-core as modules',
      setup: ({ onResolve }) =>
        onResolve({ filter: /base\/tfjs-core\.js$/ }, () => ({ path: here('tfjs-core.ts') })),
    },
  ],
  loader: { '.wasm': 'dataurl' },
  legalComments: 'none',
  logLevel: 'warning',
});
const script = outputFiles[0].text.replaceAll('</script', '<\\/script');
const page = await readFile(here('page.html'), 'utf8');
const out = here('../docs/browser.html');
await writeFile(
  out,
  page.replace('/* script */', () => script),
);
console.log(`${out}: ${(script.length / 2 ** 20).toFixed(1)} MiB`);
