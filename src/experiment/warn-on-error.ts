import { catchError, EMPTY, type MonoTypeOperatorFunction } from 'rxjs';
import { UserError } from '../base/errors.js';
import { say } from '../base/say.js';

/**
 * Completes with a warning on standard error where the source fails with a `UserError`; other errors pass.
 *
 * For what a run can do without, such as a picture after its last epoch: a folder that breaks on the way must not cost
 * the run its scores.
 *
 * @example
 * const pictures$ = throwError(() => new UserError('overlays/: expected a folder that can be written to, got a full disk'));
 * concat(of('trained'), pictures$.pipe(warnOnError()), of('scored')).subscribe();
 */
export function warnOnError<T>(): MonoTypeOperatorFunction<T> {
  return catchError((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    say(`warning: ${error.message}`);
    return EMPTY;
  });
}
