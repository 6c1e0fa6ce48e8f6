import { createRequire } from 'node:module';
import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import type { KernelBackend, KernelConfig, NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import { findBackend, getKernel, getKernelsForBackend, registerKernel } from '../base/tfjs-core.js';
import { numbersOf } from './numbers/typed-numbers.js';
import type { PlainKernel } from './op.js';

createRequire(import.meta.url)('@tensorflow/tfjs-backend-cpu');

/** A backend that counts how often each kernel that it lacks has run on the cpu backend. */
interface Counting extends KernelBackend {
  fallbackCalls?: Map<string, number>;
}

/** How often each kernel that an engine lacks has run on the cpu backend. */
export function fallbackCalls(engine: string): Map<string, number> {
  return callsOf(findBackend(engine));
}

function callsOf(backend: Counting): Map<string, number> {
  backend.fallbackCalls ??= new Map();
  return backend.fallbackCalls;
}

/**
 * Makes every kernel of tfjs that an engine lacks run on tfjs's cpu backend, by reading its inputs back.
 *
 * The first use of each is a process warning (`process.on('warning', …)`, code MILLRACE_FALLBACK) that names it.
 */
export function registerFallbacks(engine: string): void {
  for (const config of getKernelsForBackend('cpu') as PlainKernel[])
    if (!config.isPlain && !getKernel(config.kernelName, engine)) registerKernel(fallback(engine, config));
}

function fallback(engine: string, { kernelName, kernelFunc }: KernelConfig): KernelConfig {
  let warned = false;
  return {
    kernelName,
    backendName: engine,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const original = backend as KernelBackend;
      const counts = callsOf(original);
      counts.set(kernelName, (counts.get(kernelName) ?? 0) + 1);
      if (!warned)
        process.emitWarning(
          `the ${engine} engine has no kernel ${kernelName}: it runs on the slow cpu backend`,
          {
            type: 'MillraceWarning',
            code: 'MILLRACE_FALLBACK',
            detail: kernelName,
          },
        );
      warned = true;
      const cpu = findBackend('cpu') as MathBackendCPU;
      const copies: TensorInfo[] = [];
      const toCpu = (info: TensorInfo): TensorInfo => {
        const values = original.readSync(info.dataId);
        // The cpu backend may hold on to what it is given.
        const copy = cpu.makeTensorInfo(
          info.shape,
          info.dtype,
          (Array.isArray(values) ? values : values.slice()) as never,
        );
        copies.push(copy);
        return copy;
      };
      const tensors = Array.isArray(inputs)
        ? inputs.map(toCpu)
        : Object.fromEntries(
            Object.entries(inputs as Record<string, TensorInfo | undefined>)
              .filter(([, info]) => info)
              .map(([name, info]) => [name, toCpu(info!)]),
          );
      try {
        const result = kernelFunc({ inputs: tensors as NamedTensorInfoMap, attrs: attrs!, backend: cpu });
        const fromCpu = (info: TensorInfo): TensorInfo => {
          copies.push(info);
          const values = cpu.readSync(info.dataId);
          const { shape, dtype } = info;
          const data = dtype === 'string' ? values : numbersOf(values as ArrayLike<number>, dtype);
          return { dataId: original.write(data, shape, dtype), shape, dtype };
        };
        return Array.isArray(result) ? result.map(fromCpu) : fromCpu(result);
      } finally {
        for (const { dataId } of copies) cpu.disposeData(dataId);
      }
    },
  };
}
