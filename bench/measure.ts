/** Seconds of each of `steps` runs after `warmUp` untimed ones. */
export async function timed(
  { warmUp, steps }: { readonly warmUp: number; readonly steps: number },
  run: () => Promise<unknown>,
): Promise<number[]> {
  for (let i = 0; i < warmUp; i++) await run();
  const seconds: number[] = [];
  for (let i = 0; i < steps; i++) {
    const start = performance.now();
    await run();
    seconds.push((performance.now() - start) / 1000);
  }
  return seconds;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The most memory that this process ever held, in MiB: loading included. */
export const peakRss = (): number => process.resourceUsage().maxRSS / 1024;
