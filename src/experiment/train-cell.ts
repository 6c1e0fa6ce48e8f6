import { catchError, defer, ignoreElements, type Observable } from 'rxjs';
import { childProcess } from '../../operators/child-process.js';
import { divergedCells, type StudyCell } from './cell.js';

/**
 * Trains a cell of a study with the recipe in `file`, in a process of its own, resuming if possible; emits nothing.
 *
 * A run that diverges does not end the study: see `divergedCells`.
 *
 * @throws UserError where the recipe fails otherwise; it has said why.
 */
export function trainCell(file: string, cell: StudyCell): Observable<never> {
  return childProcess(file, ['--config', cell.config, '--resume']).pipe(
    catchError((error: unknown) =>
      defer(async () => {
        if ((await divergedCells([cell])).length === 0) throw error;
      }).pipe(ignoreElements()),
    ),
  );
}
