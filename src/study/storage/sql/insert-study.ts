import type { Direction } from '../../trials/frozen-trial.js';
import { nameTaken } from '../study-errors.js';
import { insertRow } from './insert-row.js';
import type { Session } from './session.js';
import { takenForAnother } from './write-changes.js';

/**
 * Stores a study and returns its id.
 *
 * @throws UserError when the name is taken, or the database takes it for another one.
 */
export async function insertStudy(
  session: Session,
  name: string,
  directions: readonly Direction[],
): Promise<number> {
  const { database } = session.context;
  const insert = session.transaction(async (db, again) => {
    const present = await db
      .selectFrom('studies')
      .select(['study_id', 'study_name'])
      .where('study_name', '=', name)
      .executeTakeFirst();
    if (present && present.study_name !== name) throw takenForAnother(name);
    // Whether this process or another stored it before the connection was lost, it is new and as it was to be.
    if (present && again) return present.study_id;
    if (present) throw nameTaken(name, database.url);
    const study = await insertRow(db, database.kind, 'studies', 'study_id', { study_name: name });
    const rows = directions.map((direction, objective) => ({
      study_id: study,
      direction: direction.toUpperCase(),
      objective,
    }));
    await db.insertInto('study_directions').values(rows).execute();
    return study;
  });
  return insert.catch((error: unknown) => {
    throw database.isDuplicate(error) ? nameTaken(name, database.url) : error;
  });
}
