import { existsSync } from 'node:fs';
import { UserError } from '../base/errors.js';
import { completeTrials, objectiveName, type StudyData, spaceOf } from '../report/study/study-data.js';
import { rankedImportances } from '../study/importance/importance.js';
import { METRIC_NAMES } from '../study/metric-names.js';
import { openStorage } from '../study/open-storage.js';
import { fileOf, partsOf } from '../study/storage/sql/database-url.js';
import { readingKey } from '../study/storage/sql/reading-path.js';
import type { Storage, StudyRecord } from '../study/storage/storage.js';
import { FAIL_REASON } from '../study/trials/fail-reason.js';
import type { FrozenTrial } from '../study/trials/frozen-trial.js';
import type { ParamAxis, StudyView, TrialRow } from './study-protocol.js';

/** The most trials that the page shows, of which importances are computed, and points of a trial's curve. */
const MOST = { trials: 2000, explained: 500, points: 500 };

/** The storage that searches use where they are not told another one. */
export const DEFAULT_STORAGE = 'sqlite:///study.db';

/** The studies of a storage, read anew at each question; trials that have ended are read once. */
export class Studies {
  /** The storage, and what tells whether it must be opened again. */
  #kept: { readonly key: string; readonly storage: Promise<Storage> } | undefined;
  #isClosed = false;
  readonly #ended = new Map<number, FrozenTrial>();
  /** The importances that were computed last, by study, and of how many trials. */
  readonly #explained = new Map<string, { readonly of: string; readonly result: Explained }>();

  /** @param url the storage; undefined: the searches' own, where it is there */
  constructor(private readonly url?: string) {}

  /** The names of the studies, in the order of their creation. */
  async names(): Promise<readonly string[]> {
    const storage = await this.#opened();
    return storage ? (await storage.studies()).map(({ name }) => name) : [];
  }

  /** A study; undefined where there is none of that name. */
  async view(name: string): Promise<StudyView | undefined> {
    const storage = await this.#opened();
    const record = await storage?.findStudy(name);
    if (!storage || !record) return undefined;
    const { trials, omitted } = await this.#trials(storage, record.id);
    const data: StudyData = { ...record, trials, metricNames: metricsOf(record) };
    const { importances, unexplained } = this.#explain(data);
    return {
      name,
      directions: record.directions,
      metrics: record.directions.map((_, i) => objectiveName(data, i)),
      axes: axesOf(trials),
      omitted,
      trials: trials.map(rowOf),
      importances,
      unexplained,
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const kept = this.#kept;
    this.#kept = undefined;
    await (await kept?.storage.catch(() => undefined))?.close();
  }

  /**
   * The storage, opened to read alone, and anew where that is needed to see what was written. Undefined where the searches'
   * own is not there. @throws UserError for a named one that is not there.
   */
  async #opened(): Promise<Storage | undefined> {
    const { url = DEFAULT_STORAGE } = this;
    const file = fileOf(url);
    if (file !== undefined && !existsSync(file)) {
      if (this.url === undefined) return undefined;
      throw new UserError(`--storage ${url}: expected the storage of a study, got no file ${file}`, { url });
    }
    const key = file !== undefined && partsOf(url).scheme === 'sqlite' ? readingKey(file) : '';
    if (this.#isClosed) return undefined;
    if (this.#kept?.key !== key) {
      void this.#kept?.storage.then((storage) => storage.close()).catch(() => {});
      const storage = openStorage(url, { readOnly: true });
      this.#kept = { key, storage };
      storage.catch(() => {
        if (this.#kept?.storage === storage) this.#kept = undefined;
      });
    }
    return this.#kept!.storage;
  }

  async #trials(storage: Storage, study: number) {
    const heads = await storage.readHeads(study, -1, []);
    const shown = heads.slice(-MOST.trials);
    const unread = shown.filter(({ id }) => !this.#ended.has(id)).map(({ id }) => id);
    const read = new Map((await storage.readTrials(unread)).map((trial) => [trial.id, trial]));
    for (const [id, trial] of read)
      if (['COMPLETE', 'PRUNED', 'FAIL'].includes(trial.state)) this.#ended.set(id, trial);
    const trials = shown.flatMap(({ id }) => this.#ended.get(id) ?? read.get(id) ?? []);
    return { trials, omitted: heads.length - shown.length };
  }

  #explain(data: StudyData): Explained {
    const complete = completeTrials(data).slice(-MOST.explained);
    const of = `${complete.at(0)?.number} ${complete.at(-1)?.number} ${complete.length}`;
    const before = this.#explained.get(data.name);
    if (before?.of === of) return before.result;
    const result = explained(complete, data);
    this.#explained.set(data.name, { of, result });
    return result;
  }
}

type Explained = Pick<StudyView, 'importances' | 'unexplained'>;

function explained(complete: readonly FrozenTrial[], { directions }: StudyData): Explained {
  const sign = directions[0] === 'maximize' ? -1 : 1;
  try {
    const target = ({ values }: FrozenTrial) => sign * values![0]!;
    return { importances: rankedImportances(complete, directions, { target }), unexplained: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { importances: [], unexplained: error.message };
  }
}

function metricsOf({ systemAttrs }: StudyRecord): readonly string[] | null {
  const names = systemAttrs[METRIC_NAMES];
  return Array.isArray(names) ? names.map(String) : null;
}

function axesOf(trials: readonly FrozenTrial[]): ParamAxis[] {
  return [...spaceOf(trials)].map(([name, distribution]) =>
    'choices' in distribution
      ? { name, choices: distribution.choices.map(String), low: 0, high: 1, log: false }
      : { name, choices: null, low: distribution.low, high: distribution.high, log: distribution.log },
  );
}

function rowOf(trial: FrozenTrial): TrialRow {
  const { number, state, values, params, datetimeStart, datetimeComplete, userAttrs, systemAttrs } = trial;
  const points = [...trial.intermediateValues].toSorted(([a], [b]) => a - b).slice(-MOST.points);
  const reason = systemAttrs[FAIL_REASON];
  return {
    number,
    state,
    values,
    params,
    intermediate: { steps: points.map(([step]) => step), values: points.map(([, value]) => value) },
    reason: typeof reason === 'string' ? reason : null,
    seconds:
      datetimeStart === null || datetimeComplete === null ? null : (datetimeComplete - datetimeStart) / 1000,
    run: typeof userAttrs['run'] === 'string' ? userAttrs['run'] : null,
  };
}
