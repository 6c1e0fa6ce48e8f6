import { dominates } from '../../trials/best-trials.js';
import { constraintsOf, violationOf } from '../../trials/constraints.js';
import type { Direction, FrozenTrial } from '../../trials/frozen-trial.js';

/** A trial as selection sees it: less is better in each loss, and no violation is best. */
export interface Individual {
  readonly trial: FrozenTrial;
  readonly losses: readonly number[];
  /**
   * The sum of the constraint violations; infinite if other trials have constraints and this one has none.
   */
  readonly violation: number;
}

export function individualsOf(
  trials: readonly FrozenTrial[],
  directions: readonly Direction[],
  constrained: boolean,
): Individual[] {
  return trials.map((trial) => {
    const constraints = constraintsOf(trial);
    return {
      trial,
      losses: trial.values!.map((value, i) => (directions[i] === 'minimize' ? value : -value)),
      violation: !constrained ? 0 : constraints ? violationOf(constraints) : Number.POSITIVE_INFINITY,
    };
  });
}

/** Deb et al. 2002, definition 1: less violation wins; of two that violate nothing, the one that dominates. */
export function constrainedDominates(a: Individual, b: Individual): boolean {
  if (a.violation !== b.violation) return a.violation < b.violation;
  return a.violation === 0 && dominates(a.losses, b.losses);
}

/**
 * The `size` best: front by front of the non-dominated sort, and of the front that does not fit those in the least
 * crowded places (Deb et al. 2002, "A fast and elitist multiobjective genetic algorithm: NSGA-II", III).
 */
export function elite(individuals: readonly Individual[], size: number): Individual[] {
  const selection: Individual[] = [];
  for (const front of fronts(individuals)) {
    if (selection.length + front.length > size) {
      const distance = crowdingDistances(front);
      const order = [...front.keys()].sort((a, b) =>
        distance[a] === distance[b] ? 0 : distance[b]! - distance[a]!,
      );
      for (const i of order.slice(0, size - selection.length)) selection.push(front[i]!);
    } else for (const each of front) selection.push(each);
    if (selection.length >= size) break;
  }
  return selection;
}

/** The fast non-dominated sort: each front holds those that only members of earlier ones dominate. */
export function fronts(individuals: readonly Individual[]): Individual[][] {
  const beats = individuals.map(() => [] as number[]);
  const beaten = individuals.map(() => 0);
  for (let i = 0; i < individuals.length; i++)
    for (let j = i + 1; j < individuals.length; j++) {
      const [a, b] = [individuals[i]!, individuals[j]!];
      const [winner, loser] = constrainedDominates(a, b) ? [i, j] : constrainedDominates(b, a) ? [j, i] : [];
      if (winner === undefined || loser === undefined) continue;
      beats[winner]!.push(loser);
      beaten[loser]!++;
    }
  const ranks: Individual[][] = [];
  let front = [...beaten.keys()].filter((i) => beaten[i] === 0);
  while (front.length > 0) {
    ranks.push(front.map((i) => individuals[i]!));
    front = front.flatMap((i) => beats[i]!.filter((j) => --beaten[j]! === 0));
  }
  return ranks;
}

/**
 * The crowding distance of each member of a front: over all objectives, the distance between its two neighbours as a
 * share of the front's extent; infinite at the ends.
 */
export function crowdingDistances(front: readonly Individual[]): number[] {
  const distances = front.map(() => 0);
  for (let m = 0; m < (front[0]?.losses.length ?? 0); m++) {
    const loss = (i: number) => front[i]!.losses[m]!;
    const order = [...front.keys()].sort((a, b) => (loss(a) < loss(b) ? -1 : loss(a) > loss(b) ? 1 : 0));
    const extent = loss(order.at(-1)!) - loss(order[0]!);
    if (!(extent > 0)) continue;
    order.forEach((i, rank) => {
      const [before, after] = [order[rank - 1], order[rank + 1]];
      if (before === undefined || after === undefined) distances[i] = Number.POSITIVE_INFINITY;
      else if (Number.isFinite(extent)) distances[i]! += (loss(after) - loss(before)) / extent;
    });
  }
  return distances;
}
