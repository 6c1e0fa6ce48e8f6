/** The settings that a run is named by. */
export interface NamedRun {
  readonly runName?: string | undefined;
  readonly mode: string;
  readonly loraType: string;
  readonly randomSeed: number;
  readonly dataPercentage: number;
  /** The fold of a cross-validation, as K/N. */
  readonly fold?: string | undefined;
}

/** The name of a run: as given, or a recipe's prefix, what trains, the seed, and the share or fold of the data. */
export function runNameOf(
  { runName, mode, loraType, randomSeed, dataPercentage, fold }: NamedRun,
  prefix = '',
): string {
  const part = fold === undefined ? dataPercentage : `fold${fold.replace('/', 'of')}`;
  return runName ?? `${prefix}${mode === 'adapters' ? loraType : mode}_${randomSeed}_${part}`;
}
