import { createRequire } from 'node:module';
import type sharp from 'sharp';

/** Loads sharp at the first picture: by `require`, since its ES modules take twice as long to load. */
export function loadSharp(): typeof sharp {
  return createRequire(import.meta.url)('sharp') as typeof sharp;
}
