import { type Combination, combineAdapters } from '../adapters/combine-adapters.js';
import { UserError } from '../base/errors.js';
import { clone, dispose } from '../base/tfjs-core.js';
import type { AdaptableVit } from '../model/vit/adaptable-vit.js';
import { loadAdapter } from './load-adapter.js';

/** Adapters that take the place of a run's own. */
export interface AdaptersInPlace {
  /** By name: a folder of PEFT, a hub id of one, or a file of the original study with its alpha. */
  readonly paths: Readonly<Record<string, string>>;
  readonly alpha?: number | undefined;
  /** Weights by name, `run` for the run's own adapter; the others' heads are then left out. Default: the only one of `paths`. */
  readonly combine?: Readonly<Record<string, number>> | undefined;
  readonly combination?: Combination | undefined;
  readonly rank?: number | undefined;
}

/** The name of a run's own adapter among those that are combined. */
export const OWN = 'run';

/** Puts adapters in place of the one that a model has, which is unmerged. */
export async function putAdapters(
  model: AdaptableVit,
  { paths, alpha, combine, combination, rank }: AdaptersInPlace,
): Promise<void> {
  const own = model.activeAdapter;
  if (combine && OWN in combine && own === undefined)
    throw new UserError(`--combine: expected a run with an adapter for ${OWN}, got one without`);
  const heads = [...model.parameters]
    .filter(({ group }) => group === 'head')
    .map(({ name, value }) => ({ name, value: clone(value) }));
  try {
    for (const [name, adapterDir] of Object.entries(paths))
      await loadAdapter(model, { adapterDir, alpha }, { name: inModel(name) });
    if (!combine) {
      if (own !== undefined) model.removeAdapter(own);
      return;
    }
    for (const { name, value } of heads) model.parameters.set(name, clone(value));
    const weights = Object.entries(combine).map(([name, weight]) => [
      name === OWN ? own! : inModel(name),
      weight,
    ]);
    combineAdapters(model, 'combined', Object.fromEntries(weights), {
      ...(combination && { combination }),
      ...(rank !== undefined && { rank }),
    });
    for (const name of model.adapters.filter((one) => one !== 'combined')) model.removeAdapter(name);
  } finally {
    dispose(heads.map(({ value }) => value));
  }
}

/** The name of an adapter in the model, where the run's own has one, too. */
function inModel(name: string): string {
  return `file:${name}`;
}
