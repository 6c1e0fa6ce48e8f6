import { TESTED_ENGINES } from './tested-engines.js';
import { trainingSuite } from './training-suite.js';

/** Without a card, WebGPU compiles each program for seconds: the other ways are test/nightly/engine/webgpu.test.ts's. */
const FEW = ['full training', 'localized'];

for (const engine of TESTED_ENGINES) trainingSuite(engine, engine === 'webgpu' ? FEW : undefined);
