import { argMax, maxOf } from '../../../numeric/extremes.js';
import { hypervolume, lexicographic, nonDominated } from '../../../numeric/hypervolume.js';
import type { FrozenTrial } from '../../trials/frozen-trial.js';

const EPS = 1e-12;

interface Row {
  readonly trial: FrozenTrial;
  readonly losses: readonly number[];
}

/**
 * The `count` best trials of several objectives: front by front, and of the one that does not fit those that add
 * most hypervolume, one after the other (Ozaki et al. 2022, section 3.1; Guerreiro et al. 2016).
 */
export function selectTrials(
  trials: readonly FrozenTrial[],
  signs: readonly number[],
  count: number,
): FrozenTrial[] {
  if (count >= trials.length) return [...trials];
  let rest = trials.map((trial): Row => ({ trial, losses: lossesOf(trial, signs) }));
  const selection: FrozenTrial[] = [];
  while (selection.length < count) {
    const best = new Set(nonDominated(rest.map(({ losses }) => losses)).map(String));
    const front = rest.filter(({ losses }) => best.has(String(losses)));
    const fitting =
      count - selection.length >= front.length ? front : subset(front, count - selection.length);
    for (const { trial } of fitting) selection.push(trial);
    rest = rest.filter(({ losses }) => !best.has(String(losses)));
  }
  return selection;
}

/**
 * The weight of each good trial of several objectives: its hypervolume contribution as a share of the largest one,
 * 1e-12 where it adds nothing or violates a constraint.
 */
export function hypervolumeWeights(
  trials: readonly FrozenTrial[],
  signs: readonly number[],
  isFeasible: (trial: FrozenTrial) => boolean,
): Float64Array {
  const feasible = trials.map(isFeasible);
  const weights = Float64Array.from(feasible, (yes) => (yes ? 1 : EPS));
  const rows = trials.map((trial) => trial.values && lossesOf(trial, signs)).filter((_, i) => feasible[i]);
  const losses = rows as readonly (readonly number[])[];
  if (losses.length <= 1) return weights;
  const reference = referencePoint(losses);
  const front = new Set(nonDominated(losses).map(String));
  const onFront = losses.map((point) => front.has(String(point)));
  const members = losses.filter((_, i) => onFront[i]);
  const volume = hypervolume(members, reference);
  if (volume === Number.POSITIVE_INFINITY) return weights;
  const contributions = members.map(
    (_, i) => volume - hypervolume([...members.slice(0, i), ...members.slice(i + 1)], reference),
  );
  const most = Math.max(EPS, maxOf(contributions));
  let member = 0;
  let row = 0;
  for (let i = 0; i < weights.length; i++) {
    if (feasible[i]) weights[i] = Math.max(onFront[row++] ? contributions[member++]! / most : 0, EPS);
  }
  return weights;
}

function subset(front: readonly Row[], size: number): readonly Row[] {
  const reference = referencePoint(front.map(({ losses }) => losses));
  // One row of each point, in lexicographic order; the others are taken last, the earliest first.
  const first = new Map<string, Row>();
  for (const row of front) if (!first.has(String(row.losses))) first.set(String(row.losses), row);
  const unique = [...first.values()].sort((a, b) => lexicographic(a.losses, b.losses));
  if (unique.length < size) {
    const others = front.filter((row) => !unique.includes(row));
    return [...unique, ...others.slice(0, size - unique.length)];
  }
  if (unique.length === size || !reference.every(Number.isFinite)) return unique.slice(0, size);
  return reference.length === 2 ? greedySweep(unique, size, reference) : greedy(unique, size, reference);
}

/** Two objectives: a point's contribution is a rectangle, which its chosen neighbours cut. */
function greedySweep(rows: readonly Row[], size: number, [right, top]: readonly number[]): Row[] {
  const open = rows.map((row) => ({ row, right: right!, top: top! }));
  const selection: Row[] = [];
  while (selection.length < size) {
    const place = argMax(open.map((o) => (o.right - o.row.losses[0]!) * (o.top - o.row.losses[1]!)));
    const [{ row }] = open.splice(place, 1) as [(typeof open)[number]];
    selection.push(row);
    open.forEach((o, i) => {
      if (i < place) o.right = Math.min(o.right, row.losses[0]!);
      else o.top = Math.min(o.top, row.losses[1]!);
    });
  }
  return selection;
}

/** More objectives: contributions only shrink, so that one known to be below the largest need not be computed anew. */
function greedy(rows: readonly Row[], size: number, reference: readonly number[]): Row[] {
  const open = rows.map((row) => ({ row, bound: hypervolume([row.losses], reference) }));
  const selection: Row[] = [];
  let volume = 0;
  for (;;) {
    const place = argMax(open.map(({ bound }) => bound));
    const [next] = open.splice(place, 1) as [(typeof open)[number]];
    selection.push(next.row);
    volume += next.bound;
    if (selection.length === size) return selection;
    const points = selection.map(({ losses }) => losses);
    let most = 0;
    for (const candidate of [...open].sort((a, b) => b.bound - a.bound)) {
      if (candidate.bound < most) continue;
      candidate.bound = hypervolume([...points, candidate.row.losses], reference) - volume;
      most = Math.max(most, candidate.bound);
    }
  }
}

function referencePoint(losses: readonly (readonly number[])[]): number[] {
  return losses[0]!.map((_, d) => {
    const worst = maxOf(losses.map((point) => point[d]!));
    return Math.max(1.1 * worst, 0.9 * worst) || EPS;
  });
}

function lossesOf(trial: FrozenTrial, signs: readonly number[]): number[] {
  return trial.values!.map((value, d) => signs[d]! * value);
}
