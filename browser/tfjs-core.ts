// Stands in for src/base/tfjs-core.ts, which Node requires: a bundle has tfjs-core as modules.
import * as core from '@tensorflow/tfjs-core';

export * from '@tensorflow/tfjs-core';
export { core };
