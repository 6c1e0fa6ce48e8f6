import { UserError } from '../../base/errors.js';
import { constraintsOf, isFeasible } from './constraints.js';
import type { Direction, FrozenTrial } from './frozen-trial.js';

/**
 * The COMPLETE trial with the best value among those that satisfy their constraints; the earlier one of equals.
 *
 * @returns undefined where no feasible trial has completed
 * @throws UserError when there are several objectives: then there is a front, not a best.
 */
export function bestTrial(
  trials: Iterable<FrozenTrial>,
  directions: readonly Direction[],
): FrozenTrial | undefined {
  if (directions.length !== 1) {
    throw new UserError(`bestTrial: expected one objective, got ${directions.length}; use bestTrials`);
  }
  const sign = directions[0] === 'minimize' ? 1 : -1;
  let best: FrozenTrial | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const trial of trials) {
    if (trial.state !== 'COMPLETE' || !trial.values || !isFeasible(trial)) continue;
    const loss = sign * trial.values[0]!;
    if (!best || loss < least || (loss === least && trial.number < best.number)) {
      best = trial;
      least = loss;
    }
  }
  return best;
}

/**
 * The Pareto front, by number: COMPLETE trials that no other beats in one objective without losing in another.
 * Where any trial has constraints, only feasible ones count, and of these only those with constraints noted.
 */
export function paretoFront(trials: readonly FrozenTrial[], directions: readonly Direction[]): FrozenTrial[] {
  const complete = trials.filter(
    ({ state, values }) => state === 'COMPLETE' && values?.length === directions.length,
  );
  const constrained = trials.some((trial) => constraintsOf(trial) !== null);
  const candidates = constrained
    ? complete.filter((trial) => constraintsOf(trial) !== null && isFeasible(trial))
    : complete;
  const signs = directions.map((direction) => (direction === 'minimize' ? 1 : -1));
  const rows = candidates.map((trial) => ({
    trial,
    losses: trial.values!.map((value, i) => signs[i]! * value),
  }));
  // A row that dominates another comes before it in lexicographic order, so the front so far is enough to compare with.
  rows.sort((a, b) => lexicographic(a.losses, b.losses));
  const front: typeof rows = [];
  for (const row of rows) if (!front.some((other) => dominates(other.losses, row.losses))) front.push(row);
  return front.map(({ trial }) => trial).sort((a, b) => a.number - b.number);
}

/** Whether a is nowhere worse than b, and somewhere better; less is better. */
export function dominates(a: readonly number[], b: readonly number[]): boolean {
  let better = false;
  for (let i = 0; i < a.length; i++) {
    if (a[i]! > b[i]!) return false;
    if (a[i]! < b[i]!) better = true;
  }
  return better;
}

function lexicographic(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  return 0;
}
