import type { Engine } from '../src/engine/engine.js';
import { median, peakRss } from './measure.js';

/** The output of a bench of steps; peers/torch_bench.py prints the same. */
export interface StepResult {
  readonly engine: string;
  readonly precision: string;
  readonly model: string;
  readonly adapter: string;
  readonly batch: number;
  readonly threads: number;
  /** Median. */
  readonly s_per_step: number;
  readonly images_per_s: number;
  /** Of the whole process, loading included. */
  readonly peak_rss_mb: number;
  /** GFLOP/s: the matrix products that the step needs (see products.ts), by its time. */
  readonly gflops: number;
}

/** The result of the timed steps. */
export function resultOf(
  engine: Engine,
  run: { readonly model: string; readonly adapter: string; readonly batch: number },
  seconds: readonly number[],
  operations: number,
): StepResult {
  const step = median(seconds);
  return {
    engine: engine.name,
    precision: engine.precision,
    model: run.model,
    adapter: run.adapter,
    batch: run.batch,
    threads: engine.threads,
    s_per_step: rounded(step),
    images_per_s: rounded(run.batch / step),
    peak_rss_mb: rounded(peakRss()),
    gflops: rounded(operations / step / 1e9),
  };
}

export function print(result: StepResult, json: boolean): void {
  process.stdout.write(`${json ? JSON.stringify(result) : inWords(result)}\n`);
}

function inWords(r: StepResult): string {
  const what = `${r.engine} ${r.precision}, ${r.model}, ${r.adapter}, batch ${r.batch}, ${r.threads} threads`;
  return `${what}: ${r.s_per_step.toFixed(4)} s a step, ${r.images_per_s.toFixed(2)} images/s, ${r.gflops.toFixed(0)} GFLOP/s, peak ${r.peak_rss_mb.toFixed(0)} MB`;
}

/** Seven digits are more than any clock is good for. */
export const rounded = (value: number): number => Number(value.toPrecision(7));
