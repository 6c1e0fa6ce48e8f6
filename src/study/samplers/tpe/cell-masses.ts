import { normalMass } from './normal-mass.js';
import type { NumericDistribution } from './numeric-kernels.js';

/** How many points a grid may have, and how many widths of kernels are kept. */
const MOST_POINTS = 4096;
const MOST_WIDTHS = 256;

/** What one width's kernels have in cells, by the half steps between the two; NaN where it is not computed yet. */
export interface Masses {
  readonly width: number;
  readonly masses: Float64Array;
  readonly logs: Float64Array;
}

/**
 * The masses of a grid's cells under kernels at its points, or half-way between, each computed once: a mass depends on
 * the kernel's width and on how many half steps lie between the two, and few widths occur in a study.
 */
export class CellMasses {
  readonly #byWidth = new Map<number, Masses>();

  constructor(
    private readonly step: number,
    private readonly points: number,
  ) {}

  /** Where `massAt` and `logMassAt` keep those of one width. */
  of(width: number): Masses {
    let masses = this.#byWidth.get(width);
    if (!masses) {
      if (this.#byWidth.size === MOST_WIDTHS) this.#byWidth.clear();
      const unknown = () => new Float64Array(2 * this.points).fill(Number.NaN);
      masses = { width, masses: unknown(), logs: unknown() };
      this.#byWidth.set(width, masses);
    }
    return masses;
  }

  /** The mass of the cell around `x` under a kernel at `centre`. */
  massAt({ width, masses }: Masses, centre: number, x: number): number {
    const place = (2 * Math.abs(x - centre)) / this.step;
    const halves = Math.round(place);
    if (halves >= masses.length || Math.abs(place - halves) > 1e-9) return this.#mass(width, place);
    let mass = masses[halves]!;
    if (Number.isNaN(mass)) masses[halves] = mass = this.#mass(width, halves);
    return mass;
  }

  /** The logarithm of `massAt`. */
  logMassAt({ width, logs }: Masses, centre: number, x: number): number {
    const place = (2 * Math.abs(x - centre)) / this.step;
    const halves = Math.round(place);
    if (halves >= logs.length || Math.abs(place - halves) > 1e-9) return Math.log(this.#mass(width, place));
    let log = logs[halves]!;
    if (Number.isNaN(log)) logs[halves] = log = Math.log(this.#mass(width, halves));
    return log;
  }

  #mass(width: number, halves: number): number {
    const half = this.step / 2 / width;
    return normalMass((halves - 1) * half, (halves + 1) * half);
  }
}

const cellMasses = new WeakMap<NumericDistribution, CellMasses | null>();

/** Those of a parameter; null where it has no grid, one in its logarithm, or one too fine to be worth it. */
export function cellMassesOf(distribution: NumericDistribution): CellMasses | null {
  let masses = cellMasses.get(distribution);
  if (masses === undefined) {
    const { low, high, step, log } = distribution;
    const points = step === null ? 0 : Math.round((high - low) / step) + 1;
    masses = step === null || log || points > MOST_POINTS ? null : new CellMasses(step, points);
    cellMasses.set(distribution, masses);
  }
  return masses;
}
