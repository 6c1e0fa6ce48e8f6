import { concat, defer, ignoreElements, type MonoTypeOperatorFunction, tap } from 'rxjs';
import { say } from '../base/say.js';
import type { Study } from '../study/study.js';

/**
 * Says that a search did nothing in this process: its study has all its trials, and how to add more, or none could begin
 * in time.
 *
 * @param total the number of trials that the study is to have
 */
export function sayIdle<E>(study: Study, total: number): MonoTypeOperatorFunction<E> {
  return (events$) =>
    defer(() => {
      let idle = true;
      const busy$ = events$.pipe(
        tap(() => {
          idle = false;
        }),
      );
      const closing$ = defer(async () => {
        if (!idle) return;
        const { length: ended } = await study.trials(['COMPLETE', 'PRUNED']);
        const hint = ended >= total ? `--n-trials ${ended + total} adds ${total}` : 'see --timeout';
        say(`study ${study.name}: no trial was added: it has ${ended} of ${total}; ${hint}`);
      });
      return concat(busy$, closing$.pipe(ignoreElements()));
    });
}
