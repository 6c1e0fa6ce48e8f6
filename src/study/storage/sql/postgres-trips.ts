import type { Json, TrialState } from '../../trials/frozen-trial.js';
import { toPythonJson } from '../../trials/python-json.js';
import { distributionToJson } from '../distribution-json.js';
import type { TrialChanges } from '../storage.js';
import { splitFloat } from './tables.js';
import { TOKEN } from './token.js';

/** What is used of a pool of node-postgres, whose types are not part of the package. */
interface Queries {
  query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
}
interface Pool extends Queries {
  connect(): Promise<Queries & { release(error?: Error | boolean): void }>;
}

/** What a database can do in one round trip where a transaction would take several. */
export interface Trips {
  /**
   * A new RUNNING trial, numbered under the lock of its study; undefined where there is no such study.
   *
   * @param last the id of a trial of the study, from where to look for the newest
   * @param token kept as a system attribute, to know the trial by
   */
  startTrial(
    study: number,
    last: number,
    start: string,
    beats: boolean,
    token: string,
  ): Promise<{ readonly id: number; readonly number: number } | undefined>;
  /** Adds to a trial that has not ended; false when it has. */
  writeTrial(trial: number, changes: TrialChanges): Promise<boolean>;
  /** Ends a RUNNING trial; false when it is none. */
  finishTrial(
    trial: number,
    state: TrialState,
    complete: string,
    changes: TrialChanges,
    values: readonly number[] | null,
  ): Promise<boolean>;
}

/**
 * PostgreSQL's, given its expression for the current time: statements that change several tables at once, whose parts see the same trial locked.
 *
 * A trial's start does not wait for the disk (synchronous_commit off): a crash of the server may undo it, as long as
 * nothing else of the trial was stored. Everything later waits.
 */
export function postgresTrips(pool: Pool, now: string): Trips {
  return {
    async startTrial(study, last, start, beats, token) {
      const of = `from trials where study_id = ${Number(study)}`;
      const newest = `order by trial_id desc limit 1`;
      const beat = `insert into trial_heartbeats (trial_id, heartbeat) select trial_id, ${now} from t`;
      // One message of several statements: each sees what was committed before it, so the last one after the lock.
      const text = `
        begin;
        set local synchronous_commit = off;
        select study_id from studies where study_id = ${Number(study)} for update;
        with t as (
          insert into trials (number, study_id, state, datetime_start)
          select coalesce(
            (select number ${of} and trial_id >= ${Number(last)} ${newest}), (select number ${of} ${newest}), -1) + 1,
            study_id, 'RUNNING', '${start.replaceAll("'", '')}'
          from studies where study_id = ${Number(study)}
          returning trial_id, number
        ), a as (
          insert into trial_system_attributes (trial_id, key, value_json)
          select trial_id, '${TOKEN}', '"${token}"' from t
        )${beats ? `, b as (${beat})` : ''}
        select trial_id as id, number from t;
        commit`;
      const client = await pool.connect();
      try {
        const results = (await client.query(text)) as unknown as readonly { rows: unknown[] }[];
        return results[3]!.rows[0] as { id: number; number: number } | undefined;
      } catch (error) {
        // On a connection that was lost this fails in its own way, and there is nothing to roll back.
        await client.query('rollback').catch(() => {});
        throw error;
      } finally {
        client.release();
      }
    },

    async writeTrial(trial, changes) {
      const head = `select trial_id from trials where trial_id = $1 and state in ('RUNNING', 'WAITING') for update`;
      return write(pool, head, [trial], changes, null);
    },

    async finishTrial(trial, state, complete, changes, values) {
      const head = `update trials set state = $2::trialstate, datetime_complete = $3::timestamp
        where trial_id = $1 and state = 'RUNNING' returning trial_id`;
      return write(pool, head, [trial, state, complete], changes, values);
    },
  };
}

/** Inserts for the one trial that `head` selects, if it does. */
async function write(
  pool: Pool,
  head: string,
  parameters: readonly unknown[],
  { params, intermediateValues, userAttrs, systemAttrs }: TrialChanges,
  values: readonly number[] | null,
): Promise<boolean> {
  const all = [...parameters];
  const parts = [`trial as (${head})`];
  /** Columns as arrays, each with its type. */
  const insert = (
    table: string,
    key: string,
    columns: Readonly<Record<string, readonly [type: string, values: readonly unknown[]]>>,
  ) => {
    const names = Object.keys(columns);
    if (columns[key]![1].length === 0) return;
    const arrays = Object.values(columns).map(([type, column]) => {
      all.push(column);
      // A value's type is an enumeration, of which there is no array to send.
      return `$${all.length}::${type.endsWith('type') ? 'text' : type}[]`;
    });
    const picked = names.map((name) => `u.${name}::${columns[name]![0]}`);
    const others = names.filter((name) => name !== key).map((name) => `${name} = excluded.${name}`);
    parts.push(`${table.replace('trial_', '')} as (
      insert into ${table} (trial_id, ${names.join(', ')})
      select trial.trial_id, ${picked.join(', ')} from trial, unnest(${arrays.join(', ')})
        with ordinality as u(${names.join(', ')}, place)
      order by place
      on conflict (trial_id, ${key}) do update set ${others.join(', ')})`);
  };
  const stored = [...(params ?? [])];
  insert('trial_params', 'param_name', {
    param_name: ['text', stored.map(([name]) => name)],
    param_value: ['float8', stored.map(([, { internal }]) => internal)],
    distribution_json: ['text', stored.map(([, { distribution }]) => distributionToJson(distribution))],
  });
  const reports = [...(intermediateValues ?? [])].map(([step, x]) => ({ step, ...splitFloat(x) }));
  insert('trial_intermediate_values', 'step', {
    step: ['int', reports.map(({ step }) => step)],
    intermediate_value: ['float8', reports.map(({ value }) => value)],
    intermediate_value_type: ['trialintermediatevaluetype', reports.map(({ type }) => type)],
  });
  for (const [kind, attrs] of [
    ['user', userAttrs],
    ['system', systemAttrs],
  ] as const) {
    const entries = Object.entries<Json>((attrs ?? {}) as Record<string, Json>);
    insert(`trial_${kind}_attributes`, 'key', {
      key: ['text', entries.map(([key]) => key)],
      value_json: ['text', entries.map(([, value]) => toPythonJson(value))],
    });
  }
  const told = (values ?? []).map(splitFloat);
  insert('trial_values', 'objective', {
    objective: ['int', told.map((_, objective) => objective)],
    value: ['float8', told.map(({ value }) => value)],
    value_type: ['trialvaluetype', told.map(({ type }) => type)],
  });
  const { rows } = await pool.query(`with ${parts.join(', ')} select trial_id from trial`, all);
  return rows.length > 0;
}
