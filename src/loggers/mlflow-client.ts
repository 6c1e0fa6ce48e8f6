import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { UserError } from '../base/errors.js';
import { type MlflowClientOptions, MlflowHttp, MlflowRefusal } from './mlflow-http.js';

/** A number of a run: `time` is milliseconds since 1970. */
export interface MlflowMetric {
  readonly name: string;
  readonly value: number;
  readonly step: number;
  readonly time: number;
}

/** A run as the server has it. */
export interface MlflowRun {
  readonly id: string;
  readonly artifacts: string;
  /** Its settings by name. */
  readonly params: Readonly<Record<string, string>>;
  /** The last step of each metric. */
  readonly steps: Readonly<Record<string, number>>;
}

/** The tag by which the runs of one creation are found. */
const CREATION = 'millrace.creation';

/** The most metrics and the most params in a request: the server's limits. */
const MOST_METRICS = 1000;
const MOST_PARAMS = 100;

const experimentSchema = z.object({ experiment_id: z.string(), lifecycle_stage: z.string() });
const runSchema = z.object({
  info: z.object({
    run_id: z.string(),
    lifecycle_stage: z.string(),
    artifact_uri: z.string(),
    start_time: z.coerce.number().default(0),
  }),
  data: z
    .object({
      params: z.array(z.object({ key: z.string(), value: z.string().default('') })).default([]),
      metrics: z.array(z.object({ key: z.string(), step: z.coerce.number().default(0) })).default([]),
    })
    .default({ params: [], metrics: [] }),
});

/**
 * The calls of MLflow's REST API that a logger needs. A call that is repeated after its answer was lost doubles nothing:
 * MLflow drops points that it already has.
 *
 * @see https://mlflow.org/docs/3.17.2/api_reference/rest-api.html
 */
export class MlflowClient {
  readonly #http: MlflowHttp;

  constructor(
    readonly uri: string,
    private readonly options: MlflowClientOptions = {},
  ) {
    this.#http = new MlflowHttp(uri, options);
  }

  /** The id of the experiment of this name, which is created if it does not exist. */
  async experiment(name: string): Promise<string> {
    const find = () => this.#http.get('experiments/get-by-name', { experiment_name: name });
    const found = await find().catch(async (error: unknown) => {
      if (!(error instanceof MlflowRefusal && error.code === 'RESOURCE_DOES_NOT_EXIST')) throw error;
      // Another process may create it at the same time.
      await this.#http.post('experiments/create', { name }).catch((error: unknown) => {
        if (!(error instanceof MlflowRefusal && error.code === 'RESOURCE_ALREADY_EXISTS')) throw error;
      });
      return find();
    });
    const { experiment } = this.#http.read(z.object({ experiment: experimentSchema }), found);
    const { experiment_id, lifecycle_stage } = experiment;
    if (lifecycle_stage === 'active') return experiment_id;
    throw new UserError(
      `experiment ${name}: expected an active one, got one that is ${lifecycle_stage}; restore it, or name another with MLFLOW_EXPERIMENT_NAME`,
    );
  }

  /** A new run. Where the answer to a first try was lost, the run that it had made is deleted. */
  async createRun(
    experiment: string,
    name: string,
    time: number,
    tags: Readonly<Record<string, string>>,
  ): Promise<MlflowRun> {
    const creation = randomUUID();
    const all = pairs({ ...tags, [CREATION]: creation });
    const body = { experiment_id: experiment, run_name: name, start_time: time, tags: all };
    const run = this.#runIn(await this.#http.post('runs/create', body));
    return this.orFail(run.id, async () => {
      for (const id of await this.runsWith(experiment, CREATION, creation))
        if (id !== run.id) await this.deleteRun(id);
      return run;
    });
  }

  /** A run; undefined where there is none of that id, or it was deleted. */
  async run(id: string): Promise<MlflowRun | undefined> {
    try {
      const answer = await this.#http.get('runs/get', { run_id: id });
      const { run } = this.#http.read(z.object({ run: runSchema }), answer);
      return run.info.lifecycle_stage === 'active' ? this.#runIn(answer) : undefined;
    } catch (error) {
      if (error instanceof MlflowRefusal && error.code === 'RESOURCE_DOES_NOT_EXIST') return undefined;
      throw error;
    }
  }

  /** The ids of the active runs of an experiment that have a tag of this value, the oldest first. */
  async runsWith(experiment: string, tag: string, value: string): Promise<string[]> {
    const filter = `tags.\`${tag}\` = '${value.replaceAll("'", '')}'`;
    const body = { experiment_ids: [experiment], filter, max_results: 100, run_view_type: 'ACTIVE_ONLY' };
    const answer = await this.#http.post('runs/search', body);
    const { runs } = this.#http.read(z.object({ runs: z.array(runSchema).default([]) }), answer);
    return runs
      .map(({ info }) => info)
      .toSorted((a, b) => a.start_time - b.start_time || (a.run_id < b.run_id ? -1 : 1))
      .map(({ run_id }) => run_id);
  }

  async deleteRun(id: string): Promise<void> {
    await this.#http.post('runs/delete', { run_id: id });
  }

  async update(id: string, status: string, endTime?: number): Promise<void> {
    await this.#http.post('runs/update', {
      run_id: id,
      status,
      ...(endTime !== undefined && { end_time: endTime }),
    });
  }

  /** Does what a new run needs; where that fails, the run ends as failed, if the server takes it at the first try. */
  async orFail<T>(id: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      await this.fail(id);
      throw error;
    }
  }

  /** Has a run end as failed, if the server takes it at the first try. */
  async fail(id: string): Promise<void> {
    const once = new MlflowClient(this.uri, { ...this.options, tries: 1 });
    await once.update(id, 'FAILED', Date.now()).catch(() => {});
  }

  async logParams(id: string, params: Readonly<Record<string, string>>): Promise<void> {
    for (const part of chunks(pairs(params), MOST_PARAMS))
      await this.#http.post('runs/log-batch', { run_id: id, params: part });
  }

  async setTags(id: string, tags: Readonly<Record<string, string>>): Promise<void> {
    for (const part of chunks(pairs(tags), MOST_PARAMS))
      await this.#http.post('runs/log-batch', { run_id: id, tags: part });
  }

  async logMetrics(id: string, metrics: readonly MlflowMetric[]): Promise<void> {
    const entries = metrics.map(({ name, value, step, time }) => ({
      key: name,
      // JSON has no NaN; protobuf's form of it does.
      value: Number.isFinite(value) ? value : String(value),
      step,
      timestamp: time,
    }));
    for (const part of chunks(entries, MOST_METRICS))
      await this.#http.post('runs/log-batch', { run_id: id, metrics: part });
  }

  /** Stores a file among a run's artifacts. The server must be one that takes them: see `takesArtifacts`. */
  async putArtifact({ artifacts }: MlflowRun, path: string, data: Uint8Array): Promise<void> {
    const folder = artifacts.replace(/^mlflow-artifacts:(\/\/[^/]*)?\/*/, '');
    const place = [...folder.split('/'), ...path.split('/')].map(encodeURIComponent).join('/');
    await this.#http.put(`mlflow-artifacts/artifacts/${place}`, data);
  }

  #runIn(answer: unknown): MlflowRun {
    const { info, data } = this.#http.read(z.object({ run: runSchema }), answer).run;
    return {
      id: info.run_id,
      artifacts: info.artifact_uri,
      params: Object.fromEntries(data.params.map(({ key, value }) => [key, value])),
      steps: Object.fromEntries(data.metrics.map(({ key, step }) => [key, step])),
    };
  }
}

/** Whether the server stores artifacts itself, rather than telling its clients where to. */
export function takesArtifacts({ artifacts }: MlflowRun): boolean {
  return artifacts.startsWith('mlflow-artifacts:');
}

function pairs(values: Readonly<Record<string, string>>): { key: string; value: string }[] {
  return Object.entries(values).map(([key, value]) => ({ key, value }));
}

function chunks<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, i) =>
    values.slice(i * size, (i + 1) * size),
  );
}
