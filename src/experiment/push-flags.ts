import { z } from 'zod';
import { readUnless } from '../cli/flag.js';

/** Flags that upload an export; without them nothing leaves the machine. */
export const pushFlags = {
  pushTo: z
    .string()
    .min(1)
    .optional()
    .describe('also upload the files to this model repository of the Hugging Face hub, owner/name'),
  private: readUnless(
    z.boolean().default(false).describe('make the repository private, if it is new'),
    ({ pushTo }) => (pushTo === undefined ? 'nothing is uploaded without --push-to' : undefined),
  ),
};
