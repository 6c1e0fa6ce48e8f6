/** The settings that a run is named by. */
export interface NamedRun {
  readonly runName?: string | undefined;
  readonly mode: string;
  readonly loraType: string;
  readonly randomSeed: number;
  readonly dataPercentage: number;
}

/** The name of a run: as given, or a recipe's prefix, what trains, the seed and the share of the data. */
export function runNameOf(
  { runName, mode, loraType, randomSeed, dataPercentage }: NamedRun,
  prefix = '',
): string {
  return runName ?? `${prefix}${mode === 'adapters' ? loraType : mode}_${randomSeed}_${dataPercentage}`;
}
