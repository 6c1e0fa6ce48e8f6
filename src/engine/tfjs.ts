import { createRequire } from 'node:module';
import { enableProdMode, registerBackend } from '../base/tfjs-core.js';
import './chained-ops.js';

// Production mode only silences tfjs's advice on standard error.
enableProdMode();

const require = createRequire(import.meta.url);

/**
 * Loads the gradients of tfjs's own operations, once.
 *
 * Core has them in no form that Node can import, and of all packages that carry them the layers are the smallest. They
 * take a fifth of a second, so they come with the engine and not with the package.
 */
export function loadGradients(): void {
  require('@tensorflow/tfjs-layers');
}

// The engine of a tensor that is made before any was chosen.
registerBackend('cpu', () => {
  loadGradients();
  const { MathBackendCPU } =
    require('@tensorflow/tfjs-backend-cpu') as typeof import('@tensorflow/tfjs-backend-cpu');
  return new MathBackendCPU();
});
