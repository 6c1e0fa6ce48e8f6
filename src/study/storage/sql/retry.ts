const LONGEST_WAIT = 60_000;

/**
 * Runs `work` again while it fails for want of a lock, for at most a minute, with waits that grow to 50 ms on
 * average and are random, so that the losers of one collision do not collide again.
 */
export async function retry<T>(work: () => Promise<T>, isTransient: (error: unknown) => boolean): Promise<T> {
  const end = Date.now() + LONGEST_WAIT;
  for (let wait = 2; ; wait = Math.min(2 * wait, 100)) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error) || Date.now() > end) throw error;
      await new Promise((done) => setTimeout(done, wait * Math.random()));
    }
  }
}
