import { normalMass } from './normal-mass.js';
import type { NumericDistribution } from './numeric-kernels.js';

/** The most points of a grid, and the most widths of kernels that are cached. */
const MOST_POINTS = 4096;
const MOST_WIDTHS = 256;

/**
 * The masses of one width's kernels in cells, by the half steps between the two; NaN where it is not computed yet. The last
 * place is for what lies at none of them.
 */
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

  /** The known masses under kernels of one width. */
  of(width: number): Masses {
    let masses = this.#byWidth.get(width);
    if (!masses) {
      if (this.#byWidth.size === MOST_WIDTHS) this.#byWidth.clear();
      const unknown = () => new Float64Array(2 * this.points + 1).fill(Number.NaN);
      masses = { width, masses: unknown(), logs: unknown() };
      this.#byWidth.set(width, masses);
    }
    return masses;
  }

  /** Where the mass, and its logarithm, of the cell around `x` under a kernel at `centre` stand until the next call. */
  place({ width, masses, logs }: Masses, centre: number, x: number): number {
    const distance = (2 * Math.abs(x - centre)) / this.step;
    const halves = Math.round(distance);
    const last = masses.length - 1;
    const isKnown = halves < last && Math.abs(distance - halves) <= 1e-9;
    const place = isKnown ? halves : last;
    if (!isKnown || Number.isNaN(masses[place]!)) {
      const mass = this.#mass(width, isKnown ? halves : distance);
      masses[place] = mass;
      logs[place] = Math.log(mass);
    }
    return place;
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
