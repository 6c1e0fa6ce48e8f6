import type { Kysely } from 'kysely';
import type { Direction } from '../../trials/frozen-trial.js';
import { parsePythonJson } from '../../trials/python-json.js';
import type { StudyRecord } from '../storage.js';
import { chunked } from './chunked.js';
import { damaged } from './damaged.js';
import type { Tables } from './tables.js';

/** All studies, in the order of their creation. */
export async function allStudies(db: Kysely<Tables>, url: string): Promise<StudyRecord[]> {
  return withParts(db, await db.selectFrom('studies').selectAll().orderBy('study_id').execute(), url);
}

/** The study of exactly this name. */
export async function studyOfName(
  db: Kysely<Tables>,
  name: string,
  url: string,
): Promise<StudyRecord | undefined> {
  const rows = await db.selectFrom('studies').selectAll().where('study_name', '=', name).execute();
  const [study] = await withParts(
    db,
    // The database may take another name for this one.
    rows.filter(({ study_name }) => study_name === name),
    url,
  );
  return study;
}

/** The studies of these rows, with their directions and attributes. */
async function withParts(
  db: Kysely<Tables>,
  rows: readonly { study_id: number; study_name: string }[],
  url: string,
): Promise<StudyRecord[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ study_id: id, study_name: name }) => {
    if (!Number.isInteger(id)) throw damaged(url, `study "${name}"`, new TypeError(`its id is ${id}`));
    return id;
  });
  const directions = await chunked(ids, (chunk) =>
    db
      .selectFrom('study_directions')
      .selectAll()
      .where('study_id', 'in', chunk)
      .orderBy('objective')
      .execute(),
  );
  const attrs = (kind: 'user' | 'system') =>
    chunked(ids, (chunk) =>
      db.selectFrom(`study_${kind}_attributes`).selectAll().where('study_id', 'in', chunk).execute(),
    );
  const [user, system] = [await attrs('user'), await attrs('system')];
  return rows.map(({ study_id: id, study_name: name }) => {
    try {
      return {
        id,
        name,
        directions: directions.filter((row) => row.study_id === id).map((row) => directionOf(row.direction)),
        userAttrs: attributesOf(user, id),
        systemAttrs: attributesOf(system, id),
      };
    } catch (error) {
      throw damaged(url, `study "${name}"`, error);
    }
  });
}

/** NOT_SET, which only databases of Optuna 0.x hold, counts as minimize. */
function directionOf(name: string): Direction {
  if (!['MINIMIZE', 'MAXIMIZE', 'NOT_SET'].includes(name)) throw new TypeError(`direction ${name}`);
  return name === 'MAXIMIZE' ? 'maximize' : 'minimize';
}

function attributesOf(rows: readonly { study_id: number; key: string; value_json: string }[], study: number) {
  const ofStudy = rows.filter((row) => row.study_id === study);
  return Object.fromEntries(ofStudy.map(({ key, value_json }) => [key, parsePythonJson(value_json)]));
}
