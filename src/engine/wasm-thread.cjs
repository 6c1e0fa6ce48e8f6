// One thread of the wasm engine: runs tfjs-backend-wasm's own worker script in a Node worker. That script is meant for
// browsers and for Node, but loads the main module from a blob, which only browsers can; see wasm-threads.ts.

const { createRequire } = require('node:module');
const { dirname, join } = require('node:path');
const { runInThisContext } = require('node:vm');

const backend = createRequire(__filename);
const folder = join(dirname(backend.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'wasm-out');
const main = join(folder, 'tfjs-backend-wasm-threaded-simd.js');
const { wasmWorkerContents } = backend(join(folder, 'tfjs-backend-wasm-threaded-simd.worker.js'));

Object.assign(globalThis, { require: backend, __filename: main, __dirname: folder });
runInThisContext(wasmWorkerContents.replaceAll('\n', '\\n'));
globalThis.importScripts = () => {
  globalThis.WasmBackendModuleThreadedSimd = backend(main);
};
URL.createObjectURL = () => '';
