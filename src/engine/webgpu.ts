import { UserError } from '../base/errors.js';
import { findBackend, getKernelsForBackend } from '../base/tfjs-core.js';
import { broadcastProduct } from './broadcast-product.js';
import { registerFallbacks } from './fallback.js';
import { missing } from './missing.js';
import { type Dawn, registerDawn, type WebgpuBackendClass } from './webgpu/dawn.js';
import { registerWebgpuKernels } from './webgpu/kernels/register.js';

/** What the webgpu engine runs with. */
export interface Webgpu {
  readonly precision: 'f32';
  /** Those of the processor; the card has its own. */
  readonly threads: 1;
  /** The card's name. */
  readonly device: string;
}

/**
 * Registers the tfjs backend `webgpu` over Dawn; undefined where npm's packages webgpu and
 * `@tensorflow/tfjs-backend-webgpu` are not installed.
 *
 * @throws UserError where there is no card, and where the backend came with a tfjs-core of its own.
 */
export async function register(): Promise<Webgpu | undefined> {
  if (device !== undefined && findBackend('webgpu')) return { precision: 'f32', threads: 1, device };
  const dawn = (await import('webgpu' as string).catch(missing)) as Dawn | undefined;
  const backend = (await import('@tensorflow/tfjs-backend-webgpu' as string).catch(missing)) as
    | { readonly WebGPUBackend: WebgpuBackendClass }
    | undefined;
  if (!dawn || !backend) return undefined;
  if (getKernelsForBackend('webgpu').length === 0)
    throw new UserError(
      '--engine webgpu: expected @tensorflow/tfjs-backend-webgpu beside the @tensorflow/tfjs-core of this package, got one with its own; install version 4.22.0 of it',
    );
  device = await registerDawn(dawn, backend.WebGPUBackend);
  broadcastProduct('webgpu');
  registerWebgpuKernels();
  registerFallbacks('webgpu');
  return { precision: 'f32', threads: 1, device };
}

let device: string | undefined;
