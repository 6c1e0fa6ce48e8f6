import { checkedSteps, type Schedule } from './schedule.js';

/**
 * Linear warm-up, plateau, linear decay ("warm-up, stable, decay"; Zhai et al. 2022, arXiv:2106.04560, § 3.5).
 *
 * Of `steps` steps the first ⌊`warmup`·steps⌋ rise from 0 by 1/warm-up a step, the last ⌊`decay`·steps⌋ fall from 1 to
 * 1/decay: no step but the first of a warm-up has rate 0. Defaults 0.05 and 0.2.
 *
 * @example
 * trapezoid(100)(0); // => 0
 * trapezoid(100)(50); // => 1
 * trapezoid(100)(90); // => 0.5
 */
export function trapezoid(
  steps: number,
  { warmup = 0.05, decay = 0.2 }: { readonly warmup?: number; readonly decay?: number } = {},
): Schedule {
  const rise = Math.floor(checkedSteps(steps) * warmup);
  const fall = Math.floor(steps * decay);
  return (step) => {
    if (step < rise) return step / rise;
    if (step < steps - fall) return 1;
    return fall === 0 ? 1 : Math.max(0, (steps - step) / fall);
  };
}
