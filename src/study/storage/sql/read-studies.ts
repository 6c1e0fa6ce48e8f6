import type { Kysely } from 'kysely';
import type { Direction } from '../../trials/frozen-trial.js';
import { parsePythonJson } from '../../trials/python-json.js';
import type { StudyRecord } from '../storage.js';
import { chunked } from './chunked.js';
import { damaged } from './damaged.js';
import type { Tables } from './tables.js';

/** The studies of these rows, with their directions and attributes. */
export async function readStudies(
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
  const own = rows.filter((row) => row.study_id === study);
  return Object.fromEntries(own.map(({ key, value_json }) => [key, parsePythonJson(value_json)]));
}
