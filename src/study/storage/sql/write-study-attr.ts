import type { Json } from '../../trials/frozen-trial.js';
import { toPythonJson } from '../../trials/python-json.js';
import { lockStudy } from './lock-study.js';
import type { Session } from './session.js';
import { takenForAnother } from './write-changes.js';

/**
 * Sets an attribute of a study.
 *
 * @throws UserError when the database takes its key for another one in use.
 */
export function writeStudyAttr(
  session: Session,
  study: number,
  kind: 'user' | 'system',
  key: string,
  value: Json,
): Promise<void> {
  const { database, folds } = session.context;
  const table = `study_${kind}_attributes` as const;
  const value_json = toPythonJson(value);
  return session.transaction(async (db) => {
    await lockStudy(db, database.kind, study);
    const { numUpdatedRows } = await db
      .updateTable(table)
      .set({ value_json })
      .where('study_id', '=', study)
      .where('key', '=', key)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) {
      await db.insertInto(table).values({ study_id: study, key, value_json }).execute();
    } else if (folds) {
      const rows = await db.selectFrom(table).select('key').where('study_id', '=', study).execute();
      if (!rows.some((row) => row.key === key)) throw takenForAnother(key);
    }
  });
}
