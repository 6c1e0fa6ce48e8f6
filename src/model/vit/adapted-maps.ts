import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
import { clone } from '../../base/tfjs-core.js';
import type { LinearMap } from '../../engine/ops/linears.js';
import type { Adapter, AdapterPass, Base, Site } from '../adapter.js';
import { mergedMap } from '../merged-map.js';
import type { Pass } from '../model.js';
import { frozenAs, type Parameters } from '../parameters.js';
import { type Place, siteName } from './adapter-sites.js';
import type { Project } from './blocks.js';
import { HeldAdapter } from './held-adapter.js';

/**
 * The linear maps of a ViT's blocks among its parameters, with any number of named adapters, of which at most one is
 * active: its parameters are among the model's, those of the others are held aside.
 */
export class AdaptedMaps {
  readonly #held = new Map<string, HeldAdapter>();
  #active: HeldAdapter | undefined;
  #unmerged: Map<string, Tensor> | undefined;

  constructor(private readonly parameters: Parameters) {}

  /** The active adapter. */
  get adapter(): Adapter | undefined {
    return this.#active?.adapter;
  }

  /** The name of the active adapter. */
  get active(): string | undefined {
    return this.#active?.name;
  }

  /** The names of all adapters, in the order in which they were added. */
  get names(): string[] {
    return [...this.#held.keys()];
  }

  /** Whether the active adapter is folded into the weights. */
  get merged(): boolean {
    return this.#unmerged !== undefined;
  }

  /**
   * Adds an adapter of this name on these sites and makes it the active one. Its parameters are drawn from the seed, or are
   * zeros without one; it gets the backbone parameters that it trains.
   */
  inject(name: string, adapter: Adapter, sites: readonly Site[], seed: number | undefined): void {
    if (this.#held.has(name))
      throw new UserError(
        `${adapter.name}: expected a model without an adapter named ${name}, got one with ${this.#held.get(name)!.adapter.name}; give the new one another name, or remove the other`,
        { name },
      );
    // All sites first: where the adapter refuses one, the model is unchanged.
    const changes = sites.map((site) => ({ site, parameters: adapter.parameters(site) }));
    const trained = [...this.parameters].filter(
      ({ name, group, adopted }) => (group === 'backbone' || adopted) && adapter.trains?.(name),
    );
    if (trained.length === 0 && changes.every(({ parameters }) => parameters.length === 0))
      throw new UserError(
        `${adapter.name}: expected an adapter that brings or trains a parameter, got one that does neither; see targets, parameters and trains`,
        { adapter: adapter.name },
      );
    const before = this.#active;
    this.activate(undefined);
    const held = new HeldAdapter(name, adapter, sites, this.parameters);
    try {
      held.add(changes, (site) => this.#base(site).weight, seed);
    } catch (error) {
      held.park();
      held.dispose();
      if (before) this.activate(before.name);
      throw error;
    }
    this.#held.set(name, held);
    this.#active = held;
  }

  /** Makes another adapter the active one, or none. A merged one is taken out of the weights first. */
  activate(name: string | undefined): void {
    const next = name === undefined ? undefined : this.#named(name);
    this.unmerge();
    if (next === this.#active) return;
    this.#active?.park();
    next?.unpark();
    this.#active = next;
  }

  /** Removes an adapter and frees its parameters. */
  remove(name: string): void {
    const held = this.#named(name);
    if (held === this.#active) this.activate(undefined);
    held.dispose();
    this.#held.delete(name);
  }

  /** An adapter by name with its sites and the values of its parameters at a site, active or not. */
  held(name: string): HeldAdapter {
    return this.#named(name);
  }

  /** The result of one map, or the map itself, which then runs together with others of the same input. */
  project(place: Place, x: Tensor, pass: Pick<AdapterPass, 'random' | 'once'>): Tensor | LinearMap {
    const base = this.#base(place);
    const site = this.merged ? undefined : this.#active?.sites.get(siteName(place));
    if (!site || !this.#active) return { x, ...base };
    return this.#active.adapter.apply(site, x, base, { ...pass, own: this.#active.own(site) });
  }

  /** The maps of one pass, which computes what its adapter shares between maps once. */
  projection(pass: Pass = {}): Project {
    const shared = new Map<string, Tensor>();
    const once = (key: string, compute: () => Tensor) => {
      const value = shared.get(key) ?? compute();
      shared.set(key, value);
      return value;
    };
    return (layer, target, x) => this.project({ layer, target }, x, { ...pass, once });
  }

  /** @throws UserError where the active adapter starts from data that it has not had. */
  checkStarted(): void {
    if (this.#active?.waits)
      throw new UserError(
        `${this.adapter!.name}: expected an adapter that has seen data, got one that is to start from the inputs of its maps; give AdapterStart some batches before training`,
        { adapter: this.adapter!.name },
      );
  }

  /** Adds the backbone's parameters to those of another model, which share their values. @throws UserError where merged. */
  shareBackbone(other: Parameters): void {
    if (this.merged)
      throw new UserError(
        `sibling: expected an unmerged backbone, got one with ${this.adapter!.name} merged into it`,
      );
    for (const { adopted, ...parameter } of this.parameters)
      if (parameter.group === 'backbone' || adopted)
        other.add({ ...parameter, group: 'backbone', value: clone(parameter.value) });
  }

  /** Folds the active adapter into the weights. @throws UserError where it cannot be; nothing is then changed. */
  merge(): void {
    const active = this.#active;
    if (!active || this.#unmerged) return;
    const merged = new Map<string, Tensor>();
    try {
      for (const site of active.sites.values()) {
        const map = mergedMap(active.adapter, site, this.#base(site), active.own(site));
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

  /** Frees the adapters that are held aside, and what the active one keeps of the backbone. */
  dispose(): void {
    this.unmerge();
    for (const held of this.#held.values()) held.dispose();
    this.#held.clear();
    this.#active = undefined;
  }

  #named(name: string): HeldAdapter {
    const held = this.#held.get(name);
    if (held) return held;
    throw new UserError(
      `expected the name of an adapter in the model (${this.names.join(', ') || 'there is none'}), got ${name}`,
      { name },
    );
  }

  #base(place: Place): Base {
    const weight = this.parameters.parameter(`${siteName(place)}.weight`);
    const bias = this.parameters.parameter(`${siteName(place)}.bias`);
    return { weight: weight.value, bias: bias.value, frozen: frozenAs(weight, bias) };
  }
}
