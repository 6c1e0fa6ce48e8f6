import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/**
 * The number of cores that this process may use: those of its affinity, or fewer if a cgroup limits its processor
 * time.
 */
export function availableCores(): number {
  const limits = [availableParallelism(), cgroup2(), cgroup1()];
  return Math.max(1, Math.floor(Math.min(...limits.filter((limit) => limit !== undefined))));
}

/** "max 100000" or "150000 100000": microseconds of processor time in a period. */
function cgroup2(): number | undefined {
  const [quota, period] = (read('/sys/fs/cgroup/cpu.max') ?? 'max').split(' ').map(Number);
  return quota && period ? quota / period : undefined;
}

function cgroup1(): number | undefined {
  const quota = Number(read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us') ?? -1);
  const period = Number(read('/sys/fs/cgroup/cpu/cpu.cfs_period_us') ?? 0);
  return quota > 0 && period > 0 ? quota / period : undefined;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
