import { UserError } from '../../base/errors.js';
import type { Adapter, Site } from '../adapter.js';
import { Parameters } from '../parameters.js';
import { AdaptedMaps } from './adapted-maps.js';
import type { HeldAdapter, InjectOptions } from './held-adapter.js';
import { setTrainable, type TrainingMode } from './training-mode.js';

/** A model's parameters and its adapters by name, of which at most one is active, and which of them train. */
export abstract class NamedAdapters {
  readonly parameters = new Parameters();
  /** The linear maps that adapters change. @internal */
  protected readonly maps = new AdaptedMaps(this.parameters);

  /** The active adapter, if any. */
  get adapter(): Adapter | undefined {
    return this.maps.adapter;
  }

  /** Whether the adapter is folded into the backbone's weights. */
  get merged(): boolean {
    return this.maps.merged;
  }

  /** Refuses a model whose weights alone do not say what it computes. @internal */
  checkPlain(operation: string): void {
    if (this.adapter && !this.merged)
      throw new UserError(
        `${operation}: expected a model without an adapter or with a merged one, got ${this.adapter.name}; merge() it first`,
        { adapter: this.adapter.name },
      );
  }

  /**
   * Adds an adapter, with parameters drawn from the seed, and makes it the active one; adapter and head train, the backbone
   * does not. Without a seed its parameters are zeros, for `loadParameters` to fill.
   *
   * @throws UserError where the model has an adapter of this name, and for maps that do not fit the adapter.
   * @example
   * model.inject(lora({ rank: 4 }), 42, { name: 'pets' }).inject(lora({ rank: 8 }), 42, { name: 'birds' });
   */
  inject(adapter: Adapter, seed: number | undefined, { name = 'default' }: InjectOptions = {}): this {
    this.maps.inject(name, adapter, this.sitesOf(adapter), seed);
    return this.train('adapters');
  }

  /** The names of the adapters, in the order in which they were added. */
  get adapters(): string[] {
    return this.maps.names;
  }

  /** The name of the active adapter, if any. */
  get activeAdapter(): string | undefined {
    return this.maps.active;
  }

  /**
   * Makes another adapter the active one, or none (null): the backbone alone. Nothing is read or computed; the parameters of
   * the others are held aside, and the head stays. A merged adapter is unmerged first.
   *
   * @throws UserError for a name that no adapter has.
   * @example
   * model.setAdapter('birds');
   */
  setAdapter(name: string | null): this {
    this.maps.activate(name ?? undefined);
    return this;
  }

  /** Removes an adapter and frees its parameters. @throws UserError for a name that no adapter has. */
  removeAdapter(name: string): this {
    this.maps.remove(name);
    return this;
  }

  /** An adapter by name, with its maps and parameters. @internal */
  heldAdapter(name: string): HeldAdapter {
    return this.maps.held(name);
  }

  /** Which parameters train: `head`, `adapters` (and head), `full` (everything), or those of these names alone. */
  train(which: TrainingMode | readonly string[]): this {
    setTrainable(this.parameters, which);
    return this;
  }

  /**
   * Folds the adapter into the backbone's weights: the same function, without its cost. `unmerge` takes it out.
   *
   * @throws UserError where the adapter cannot be merged, or its `merged` is not what its `apply` is; the model is then
   * unchanged.
   */
  merge(): void {
    this.maps.merge();
  }

  /** Restores the exact weights that `merge` replaced. */
  unmerge(): void {
    this.maps.unmerge();
  }

  /**
   * Shares this model's backbone with one that has none yet. The weights are there once, and freed with the last
   * model that uses them; what one of them changes of its backbone, the others do not see.
   *
   * @throws UserError while an adapter is merged into the backbone.
   */
  protected shareBackbone(model: NamedAdapters): void {
    this.maps.shareBackbone(model.parameters);
  }

  /** The linear maps that an adapter changes in this model. */
  abstract sitesOf(adapter: Adapter): Site[];

  /** Frees all weights, merged ones too. */
  dispose(): void {
    this.maps.dispose();
    this.parameters.dispose();
  }
}
