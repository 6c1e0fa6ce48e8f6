import type { Distribution } from '../../trials/distribution.js';
import type { FrozenTrial } from '../../trials/frozen-trial.js';
import { sameDistribution } from '../../trials/same-distribution.js';
import { ChoiceColumn } from './choice-column.js';
import { KernelColumn } from './kernel-column.js';
import type { TpeSettings } from './options.js';

/** The most ranges of one parameter that are cached; those of a study whose ranges move are built anew. */
const MOST_RANGES = 4;

/** A snapshot of a study's trials. */
export interface Split {
  /** All COMPLETE and PRUNED trials; new ones are appended. */
  readonly arrived: readonly FrozenTrial[];
  readonly below: readonly FrozenTrial[];
  /** Running trials that count as bad. */
  readonly running: readonly FrozenTrial[];
}

/** The bad trials of one study, one column for each parameter, kept up to date at the cost of what changed. */
export class BadColumns {
  readonly #columns = new Map<string, BadColumn[]>();

  constructor(private readonly settings: TpeSettings) {}

  /** Whether the parameter's density can be cached; otherwise it is built for each proposal. */
  handles(name: string): boolean {
    const { weights, magicClip, neighbourWidths, categoricalDistance } = this.settings;
    return weights === null && magicClip && neighbourWidths && !Object.hasOwn(categoricalDistance, name);
  }

  /** The column of the parameter as of the split. */
  column(name: string, distribution: Distribution, split: Split): KernelColumn | ChoiceColumn {
    const ranges = this.#columns.get(name) ?? [];
    this.#columns.set(name, ranges);
    let column = ranges.find((each) => sameDistribution(each.distribution, distribution));
    if (!column) {
      column = new BadColumn(name, distribution, this.settings);
      if (ranges.push(column) > MOST_RANGES) ranges.shift();
    }
    column.follow(split);
    return column.density;
  }
}

class BadColumn {
  readonly density: KernelColumn | ChoiceColumn;
  /** The number of finished trials accounted for. */
  #seen = 0;
  #below: readonly FrozenTrial[] = [];
  /** The running trials included, by number. */
  #running = new Map<number, number>();

  constructor(
    private readonly name: string,
    readonly distribution: Distribution,
    { priorWeight, endpoints }: TpeSettings,
  ) {
    this.density =
      distribution.name === 'CategoricalDistribution'
        ? new ChoiceColumn(distribution, priorWeight)
        : new KernelColumn(distribution, priorWeight, endpoints);
  }

  follow({ arrived, below, running }: Split): void {
    this.#followRunning(running);
    if (arrived.length === this.#seen && below === this.#below) return;
    const isBelow = new Set(below);
    const wasBelow = new Set(this.#below);
    const isNew = new Set<FrozenTrial>();
    for (; this.#seen < arrived.length; this.#seen++) {
      const trial = arrived[this.#seen]!;
      isNew.add(trial);
      if (!isBelow.has(trial)) this.#insert(trial);
    }
    for (const trial of this.#below) if (!isBelow.has(trial)) this.#insert(trial);
    for (const trial of below) if (!wasBelow.has(trial) && !isNew.has(trial)) this.#remove(trial);
    this.#below = below;
  }

  #followRunning(running: readonly FrozenTrial[]): void {
    if (running.length === 0 && this.#running.size === 0) return;
    const now = new Map<number, number>();
    for (const trial of running) {
      const value = this.#valueOf(trial);
      if (value !== undefined) now.set(trial.number, value);
    }
    for (const number of this.#running.keys()) if (!now.has(number)) this.density.remove(number);
    for (const [number, value] of now) if (!this.#running.has(number)) this.density.insert(number, value);
    this.#running = now;
  }

  #insert(trial: FrozenTrial): void {
    const value = this.#valueOf(trial);
    if (value !== undefined) this.density.insert(trial.number, value);
  }

  #remove(trial: FrozenTrial): void {
    if (this.#valueOf(trial) !== undefined) this.density.remove(trial.number);
  }

  #valueOf({ internalParams }: FrozenTrial): number | undefined {
    return Object.hasOwn(internalParams, this.name) ? internalParams[this.name] : undefined;
  }
}
