import type { SeriesChange } from './protocol.js';

/** The most points of a series: with more, neighbours are merged. */
export const MOST_POINTS = 1024;

interface Point {
  /** Its place: the step divided by the stride. */
  readonly place: number;
  readonly version: number;
  readonly step: number;
  readonly sum: number;
  readonly count: number;
}

/**
 * A series of numbers by step, of any length in bounded memory: where points become too many, each holds the mean of
 * twice as many steps as before. Values that are no numbers count only where a point has no other.
 *
 * Points know the version at which they changed, so that a reader who has seen one version is told what came since.
 *
 * @example
 * const loss = new Series();
 * loss.add(1, 0.5, 1);
 * loss.add(2, 0.25, 2);
 * loss.since(1); // => { from: 1, steps: [2], values: [0.25] }
 */
export class Series {
  #stride = 1;
  #points: Point[] = [];
  /** The version at which points were merged: who has seen less gets all of them. */
  #merged = 0;

  add(step: number, value: number, version: number): void {
    const place = Math.floor(step / this.#stride);
    const isNumber = Number.isFinite(value);
    const point = { place, version, step, sum: isNumber ? value : 0, count: Number(isNumber) };
    const last = this.#points.at(-1);
    if (last?.place === place) this.#points[this.#points.length - 1] = joined(last, point);
    else this.#points.push(point);
    if (this.#points.length > MOST_POINTS) this.#merge(version);
  }

  /** What changed after a version; undefined where nothing did. */
  since(version: number): SeriesChange | undefined {
    const from = version < this.#merged ? 0 : this.#points.findLastIndex((p) => p.version <= version) + 1;
    if (from === this.#points.length) return undefined;
    const points = this.#points.slice(from);
    return {
      from,
      steps: points.map(({ step }) => step),
      values: points.map(({ sum, count }) => (count > 0 ? sum / count : null)),
    };
  }

  #merge(version: number): void {
    this.#stride *= 2;
    this.#merged = version;
    const points: Point[] = [];
    for (const point of this.#points) {
      const place = Math.floor(point.step / this.#stride);
      const last = points.at(-1);
      if (last?.place === place) points[points.length - 1] = joined(last, { ...point, place });
      else points.push({ ...point, place });
    }
    this.#points = points;
  }
}

function joined(a: Point, b: Point): Point {
  const version = Math.max(a.version, b.version);
  return { place: a.place, version, step: b.step, sum: a.sum + b.sum, count: a.count + b.count };
}
