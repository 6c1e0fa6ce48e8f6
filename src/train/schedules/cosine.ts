import { checkedSteps, type Schedule } from './schedule.js';

/**
 * Linear warm-up from 0 over the first ⌊`warmup`·steps⌋ steps, then half a cosine from 1 down to `floor` (Loshchilov &
 * Hutter 2017, arXiv:1608.03983, eq. 5 without restarts). Defaults 0.05 and 0. With a floor of 0 it is transformers'
 * `get_cosine_schedule_with_warmup`.
 */
export function cosine(
  steps: number,
  { warmup = 0.05, floor = 0 }: { readonly warmup?: number; readonly floor?: number } = {},
): Schedule {
  const rise = Math.floor(checkedSteps(steps) * warmup);
  return (step) => {
    if (step < rise) return step / rise;
    const progress = Math.min(1, (step - rise) / Math.max(1, steps - rise));
    return floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * progress));
  };
}
