import type { Study } from '../study/study.js';
import type { ForkPoints } from '../train/fork-points.js';

/** Says what trials had in common; the last process of the search removes the points. */
export async function endForks(forks: ForkPoints | undefined, study: Study): Promise<void> {
  if (!forks) return;
  const { shared, trained } = forks.steps;
  if (shared > 0) process.stdout.write(`forks: ${shared} of ${shared + trained} steps were trained before\n`);
  const running = (await study.trials()).some(({ state }) => state === 'RUNNING');
  if (!running) await forks.clear();
}
