import { z } from 'zod';
import type { PeftReader } from '../peft-config.js';
import { shira } from '../shira.js';

/** Makes SHiRA from PEFT's ShiraConfig; whatever drew the mask, the file holds it. */
export const shiraFromPeft: PeftReader = {
  read: (config, where) => shira({ ...where, rank: shiraConfig.parse(config).r }),
  fields: () => [...Object.keys(shiraConfig.shape), 'mask_type', 'random_seed', 'init_weights'],
};

const shiraConfig = z.object({ r: z.int().min(1).default(32) });
