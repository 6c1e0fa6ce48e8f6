import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
import type { LinearMap } from '../../engine/ops/linears.js';
import type { Adapter, AdapterPass, Base, Site } from '../adapter.js';
import { mergedMap } from '../merged-map.js';
import type { Parameters } from '../parameters.js';
import { initialValue, siteName } from './adapter-sites.js';

/** The linear maps of a ViT's blocks among its parameters, with at most one adapter on them. */
export class AdaptedMaps {
  #adapter: Adapter | undefined;
  readonly #sites = new Map<string, Site>();
  #unmerged: Map<string, Tensor> | undefined;

  constructor(private readonly parameters: Parameters) {}

  get adapter(): Adapter | undefined {
    return this.#adapter;
  }

  /** Whether the adapter is folded into the weights. */
  get merged(): boolean {
    return this.#unmerged !== undefined;
  }

  /**
   * Puts an adapter on these sites, with parameters drawn from the seed, and gives it the backbone parameters that it
   * trains.
   */
  inject(adapter: Adapter, sites: readonly Site[], seed: number): void {
    if (this.#adapter)
      throw new UserError(`expected a model without an adapter, got one with ${this.#adapter.name}`);
    // All sites first: where the adapter refuses one, the model is unchanged.
    const changes = sites.map((site) => ({ site, parameters: adapter.parameters(site) }));
    const ownParameters = [...this.parameters].filter(
      ({ name, group }) => group === 'backbone' && adapter.trains?.(name),
    );
    if (ownParameters.length === 0 && changes.every(({ parameters }) => parameters.length === 0))
      throw new UserError(
        `${adapter.name}: expected an adapter that brings or trains a parameter, got one that does neither; see targets, parameters and trains`,
        { adapter: adapter.name },
      );
    for (const { site, parameters } of changes) {
      this.#sites.set(siteName(site), site);
      for (const parameter of parameters) {
        const { name } = parameter;
        if (this.parameters.has(name)) continue;
        const value = initialValue(parameter, () => this.#base(site).weight, seed);
        this.parameters.add({ name, group: 'adapter', trainable: true, value });
      }
    }
    for (const parameter of ownParameters) {
      parameter.group = 'adapter';
      parameter.adopted = true;
    }
    this.#adapter = adapter;
  }

  /** The result of one map, or the map itself, which then runs together with others of the same input. */
  project(
    place: Pick<Site, 'layer' | 'target'>,
    x: Tensor,
    pass: Pick<AdapterPass, 'random' | 'once'>,
  ): Tensor | LinearMap {
    const base = this.#base(place);
    const site = this.merged ? undefined : this.#sites.get(siteName(place));
    if (!site || !this.#adapter) return { x, ...base };
    return this.#adapter.apply(site, x, base, { ...pass, own: this.#own(site) });
  }

  /** Folds the adapter into the weights. @throws UserError where it cannot be; nothing is then changed. */
  merge(): void {
    const adapter = this.#adapter;
    if (!adapter || this.#unmerged) return;
    const merged = new Map<string, Tensor>();
    try {
      for (const site of this.#sites.values()) {
        const map = mergedMap(adapter, site, this.#base(site), this.#own(site));
        for (const part of ['weight', 'bias'] as const) {
          const name = `${siteName(site)}.${part}`;
          if (map[part] !== this.parameters.get(name)) merged.set(name, map[part]);
        }
      }
    } catch (error) {
      for (const value of merged.values()) value.dispose();
      throw error;
    }
    this.#unmerged = new Map();
    for (const [name, value] of merged) {
      const parameter = this.parameters.parameter(name);
      this.#unmerged.set(name, parameter.value);
      parameter.value = value;
    }
  }

  /** Restores the exact weights that `merge` replaced. */
  unmerge(): void {
    for (const [name, value] of this.#unmerged ?? []) this.parameters.set(name, value);
    this.#unmerged = undefined;
  }

  #base(place: Pick<Site, 'layer' | 'target'>): Base {
    const weight = this.parameters.parameter(`${siteName(place)}.weight`);
    const bias = this.parameters.parameter(`${siteName(place)}.bias`);
    return { weight: weight.value, bias: bias.value, frozen: !weight.trainable && !bias.trainable };
  }

  #own(site: Site): (part: string) => Tensor {
    const names = this.#adapter!.parameters(site).map(({ name }) => name);
    return (part) => {
      const name = names.find((full) => full.endsWith(`.${part}`));
      if (!name) throw new Error(`${this.#adapter!.name} has no parameter ${part}`);
      return this.parameters.get(name);
    };
  }
}
