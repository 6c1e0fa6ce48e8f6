import { z } from 'zod';
import { hira } from '../hira.js';
import type { PeftReader } from '../peft-config.js';

/** Makes HiRA from PEFT's HiraConfig. */
export const hiraFromPeft: PeftReader = {
  read: (config, where) => {
    const { r: rank, hira_dropout: dropout } = hiraConfig.parse(config);
    return hira({ ...where, rank, dropout });
  },
  fields: () => [...Object.keys(hiraConfig.shape), 'init_weights'],
};

const hiraConfig = z.object({
  r: z.int().min(1).default(32),
  hira_dropout: z.number().default(0),
});
