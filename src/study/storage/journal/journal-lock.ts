import { randomUUID } from 'node:crypto';
import { lstatSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';

/** Milliseconds without renewal after which a lock belongs to a dead process. */
const GRACE_MILLISECONDS = 30_000;

/**
 * Runs `work` while holding the lock of a journal file, the symbolic link `<file>.lock`, as Optuna's
 * JournalFileSymlinkLock does: it works on NFS too, and between Python and this.
 *
 * The work is synchronous, so that a process holds the lock as briefly as it can. A lock that stays the same for
 * 30 seconds is taken away from whoever died with it.
 */
export async function withJournalLock<T>(file: string, work: () => T): Promise<T> {
  const lock = `${file}.lock`;
  let lastModified: number | null = null;
  let since = 0;
  for (let wait = 1; ; wait = Math.min(2 * wait, 100)) {
    try {
      symlinkSync(file, lock);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const modified = modifiedAt(lock);
    if (modified !== lastModified) {
      lastModified = modified;
      since = Date.now();
    } else if (modified !== null && Date.now() - since > GRACE_MILLISECONDS) release(lock);
    await new Promise((done) => setTimeout(done, wait * (0.5 + Math.random())));
  }
  try {
    return work();
  } finally {
    release(lock);
  }
}

/** Removes a lock; renaming it first ensures that of two concurrent removals only one succeeds. */
function release(lock: string): void {
  const aside = `${lock}${randomUUID()}.rename`;
  try {
    renameSync(lock, aside);
    unlinkSync(aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function modifiedAt(path: string): number | null {
  return lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null;
}
