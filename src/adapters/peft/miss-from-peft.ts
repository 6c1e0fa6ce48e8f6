import { z } from 'zod';
import { miss } from '../miss.js';
import type { PeftReader } from '../peft-config.js';

/** Makes MiSS from PEFT's MissConfig. @throws UserError for its variants `bat` and `mini`. */
export const missFromPeft: PeftReader = {
  read: (config, where) => {
    const { r: rank, miss_dropout: dropout } = missConfig.parse(config);
    return miss({ ...where, rank, dropout });
  },
  fields: () => [...Object.keys(missConfig.shape), 'mini_r'],
};

const missConfig = z.object({
  r: z.int().min(1).default(64),
  miss_dropout: z.number().default(0),
  bias: z
    .literal('none', { error: 'expected none: MiSS that trains biases is not supported' })
    .default('none'),
  init_weights: z
    .boolean({
      error: ({ input }) => `expected true: the variant ${JSON.stringify(input)} of MiSS is not supported`,
    })
    .default(true),
});
