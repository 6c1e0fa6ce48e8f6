import type { ParameterGroup } from '../model/parameters.js';

/** The base rates of a run's settings: one for all, or with `separateLr` one for the ViT and one for the head. */
export function learningRates(settings: {
  readonly lr: number;
  readonly separateLr: boolean;
  readonly lrVitBackbone: number;
  readonly lrSegHead: number;
}): number | Readonly<Record<ParameterGroup, number>> {
  const { lr, separateLr, lrVitBackbone, lrSegHead } = settings;
  return separateLr ? { adapter: lrVitBackbone, backbone: lrVitBackbone, head: lrSegHead } : lr;
}
