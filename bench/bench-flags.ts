import { z } from 'zod';
import { nameIn } from '../src/cli/flag.js';
import { engines } from '../src/engine/engine.js';
import { PRECISIONS } from '../src/engine/numbers/precision.js';
import { ADAPTERS } from './adapters.js';
import { MODELS } from './models.js';

/** Flags that choose the model and the engine. */
export const modelFlags = {
  model: z.enum(MODELS).default('vit-base').describe('shape of the backbone; its weights are random'),
  adapter: z
    .enum(ADAPTERS)
    .default('lora')
    .describe('what trains beside the head; none = the head alone, full = everything'),
  batch: z.int().min(1).default(8).describe('images per step'),
};

export const engineFlags = {
  engine: nameIn(engines, ['auto']).default('auto').describe('what computes'),
  precision: z
    .enum(PRECISIONS)
    .optional()
    .describe("what matrix products round to; default the engine's choice"),
  threads: z.int().min(1).optional().describe("default the engine's choice"),
};

/** Flags that set how long to measure, and the output. */
export const measureFlags = {
  warmUp: z.int().min(0).default(3).describe('steps before the clock starts'),
  steps: z.int().min(1).default(10).describe('steps that are timed; the median counts'),
  json: z.boolean().default(false).describe('print one JSON object'),
};
