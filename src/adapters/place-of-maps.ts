import type { AdapterOptions } from '../model/adapter.js';
import { TARGETS } from '../model/targets.js';
import { siteName } from '../model/vit/adapter-sites.js';

/** The options that place an adapter on exactly these maps of a ViT of so many blocks; maps of others are left out. */
export function placeOfMaps(
  maps: readonly Parameters<typeof siteName>[0][],
  count: number,
): Pick<AdapterOptions, 'targets' | 'layers' | 'exclude'> {
  const layers = [...new Set(maps.map(({ layer }) => layer))]
    .filter((layer) => layer < count)
    .toSorted((a, b) => a - b);
  const targets = TARGETS.filter((target) => maps.some((map) => map.target === target));
  const changed = new Set(maps.map(siteName));
  const exclude = layers.flatMap((layer) =>
    targets.map((target) => siteName({ layer, target })).filter((name) => !changed.has(name)),
  );
  const all = layers.length === count;
  return { targets, ...(!all && { layers }), ...(exclude.length > 0 && { exclude }) };
}
