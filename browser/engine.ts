import { enableProdMode, setBackend } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import '@tensorflow/tfjs-backend-webgpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm';
import { broadcastProduct } from '../src/engine/broadcast-product.js';
import { replaceProduct } from '../src/engine/wasm-product.js';
import { registerWebgpuKernels } from '../src/engine/webgpu/kernels/register.js';

enableProdMode();

/** Starts WebGPU where the browser has a card for it, else wasm; returns what runs, for a person to read. */
export async function startEngine(): Promise<string> {
  const adapter = await navigator.gpu?.requestAdapter();
  if (adapter && (await setBackend('webgpu'))) {
    broadcastProduct('webgpu');
    registerWebgpuKernels();
    const { vendor, architecture, description } = adapter.info;
    return `webgpu (${description || `${vendor} ${architecture}`.trim() || 'unnamed'})`;
  }
  setWasmPaths({
    'tfjs-backend-wasm.wasm': plain,
    'tfjs-backend-wasm-simd.wasm': simd,
    'tfjs-backend-wasm-threaded-simd.wasm': simd,
  });
  replaceProduct();
  await setBackend('wasm');
  return 'wasm (no WebGPU here)';
}
