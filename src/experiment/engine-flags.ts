import { z } from 'zod';
import { nameIn } from '../cli/flag.js';
import { engines } from '../engine/engine.js';
import { PRECISIONS } from '../engine/numbers/precision.js';

/** Flags of the engine. */
export const engineFlags = {
  engine: nameIn(engines, ['auto'])
    .default('auto')
    .describe('tensor engine; auto = the fastest one installed'),
  precision: z
    .enum(PRECISIONS)
    .optional()
    .describe(
      "precision of matrix products; int16 and int8 multiply frozen weights in integers, on onednn; tf32 and f16 (with a scaled loss) are torch's; default: bf16 on onednn where this processor multiplies it faster, else f32",
    ),
  threads: z.int().min(1).optional().describe('threads of the engine; default: all available cores'),
  device: z
    .union([nameIn(engines, ['cpu', 'cuda', 'mps', 'xpu', 'auto']), z.string().regex(/^(cuda|xpu):\d+$/)])
    .optional()
    .describe(
      'device: cpu = the processor; cuda, cuda:1, mps, xpu = a card on the torch engine; or the name of an engine; default: the best available',
    ),
};
