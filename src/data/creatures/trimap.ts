import { CREATURES } from './families.js';

/** The ids of a trimap in the Oxford-IIIT Pet set. */
export const TRIMAP = { creature: 1, background: 2, border: 3 } as const;

/**
 * The trimap of a scene's labels: creature, background, and as border everything within `radius` pixels of the line
 * between the two. Where a thing hides the creature, the line follows what is seen.
 */
export function trimap(labels: Uint8Array, width: number, height: number, radius = 2): Uint8Array {
  const inside = labels.map((label) => (label >= 1 && label <= CREATURES.length ? 1 : 0));
  return inside.map((here, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    for (let dy = -radius; dy <= radius; dy++)
      for (let dx = -radius; dx <= radius; dx++) {
        const [u, v] = [x + dx, y + dy];
        if (dx * dx + dy * dy > radius * radius || u < 0 || v < 0 || u >= width || v >= height) continue;
        if (inside[v * width + u] !== here) return TRIMAP.border;
      }
    return here === 1 ? TRIMAP.creature : TRIMAP.background;
  });
}
