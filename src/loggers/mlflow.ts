import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { say } from '../base/say.js';
import type { Event, RunEvent, TrialEvent } from '../events/event.js';
import { EVENTS_FILE } from '../events/read-events.js';
import { writeFileAtomic } from '../files/atomic.js';
import { readJson } from '../files/json-file.js';
import { hyperparametersOf } from './hyperparameters.js';
import { type LoggedRun, type Logger, type LoggerFor, type RunEnd, withEarlier } from './logger.js';
import { MlflowClient, type MlflowMetric, type MlflowRun, takesArtifacts } from './mlflow-client.js';
import type { MlflowClientOptions } from './mlflow-http.js';
import { MlflowStudies } from './mlflow-studies.js';
import { plotsOf } from './plots.js';
import { scalarsOf } from './scalars.js';

/** Options of `mlflow`. */
export interface MlflowOptions extends MlflowClientOptions {
  /** The server's address. Default: MLFLOW_TRACKING_URI, else `http://127.0.0.1:5000`. */
  readonly uri?: string;
  /** The name of the experiment. Default: MLFLOW_EXPERIMENT_NAME, else `millrace`. */
  readonly experiment?: string;
}

/** Milliseconds for which points are gathered before they are sent. */
const GATHER = 1000;

/** The most points that wait to be sent. */
const MOST = 1000;

/** The server's limits, in characters. */
const LONGEST = { name: 250, value: 6000 };

const STATUS: Record<RunEnd, string> = { finished: 'FINISHED', failed: 'FAILED', stopped: 'KILLED' };

const recordSchema = z.object({ uri: z.string(), run: z.string() });

/**
 * Sends a run to an MLflow server: settings as params, the numbers of `scalarsOf` as metrics, pictures of predictions, the
 * files of the run's logs and its plots as artifacts, its end as the run's status. A trial of a study is a child of the study's run.
 *
 * Points are sent once a second. A resumed run is the same run on the server (`<logs>/mlflow.json` has its id): points of
 * steps that the server has are not sent again, and settings that changed become tags `resumed.<name>`. A server that
 * refuses or is silent is tried three times, and then costs the run one warning; its run there ends as failed, if the server
 * takes that.
 *
 * @throws UserError where the address is not HTTP(S).
 * @example
 * training$.pipe(logTo(run, jsonLines(), mlflow({ uri: 'http://127.0.0.1:5000', experiment: 'pets' })));
 */
export function mlflow(options: MlflowOptions = {}): LoggerFor {
  const studies = new MlflowStudies();
  return (run) => {
    const uri = options.uri ?? (process.env['MLFLOW_TRACKING_URI'] || 'http://127.0.0.1:5000');
    const experiment = options.experiment ?? (process.env['MLFLOW_EXPERIMENT_NAME'] || 'millrace');
    return new Mlflow(uri, options, experiment, run, studies);
  };
}

class Mlflow implements Logger {
  readonly name = 'mlflow';
  /** More than three tries of a silent server take. */
  readonly patience = 20;
  #run: MlflowRun | undefined;
  #classes: readonly string[] = [];
  #waiting: MlflowMetric[] = [];
  #sent = 0;
  /** The run of the study, where this one is a trial of it. */
  #parent: string | undefined;
  /** How the trial ended. */
  #trial: TrialEvent | undefined;

  private readonly client: MlflowClient;

  constructor(
    uri: string,
    private readonly options: MlflowClientOptions,
    private readonly experiment: string,
    private readonly logged: LoggedRun,
    private readonly studies: MlflowStudies,
  ) {
    this.client = new MlflowClient(uri, options);
  }

  async next(event: Event): Promise<void> {
    if (this.#run) return this.#take(event);
    const events = withEarlier(this.logged.earlier ?? [], event);
    const about = events.find(({ type }) => type === 'run') as RunEvent | undefined;
    if (!(about && (await this.#resumed(about)))) await this.#begin(about, event.time);
    for (const each of events) await this.#take(each);
  }

  async close(end?: RunEnd): Promise<void> {
    if (!end) return this.#giveUp();
    if (!this.#run) return;
    try {
      await this.#send();
      const { logs } = this.logged;
      for (const file of logs === undefined ? [] : [EVENTS_FILE, 'metrics.csv', 'summary.json'])
        await this.#put(join(logs!, file), file);
      await this.#putPlots();
      await this.client.update(this.#run.id, STATUS[end], Date.now());
      if (this.#parent !== undefined) await this.#endTrial(this.#parent, end);
    } catch (error) {
      await this.#giveUp();
      throw error;
    }
  }

  /** Has the run and its study's end as failed, if the server takes it at the first try: they are not all there. */
  async #giveUp(): Promise<void> {
    for (const id of [this.#run?.id, this.#parent]) if (id !== undefined) await this.client.fail(id);
  }

  /** Gives the study's run the trial's value; it has ended with its last trial, or was stopped with it. */
  async #endTrial(parent: string, end: RunEnd): Promise<void> {
    const { value, number: step, time } = this.#trial ?? {};
    if (value !== undefined)
      await this.client.logMetrics(parent, [{ name: 'value', value, step: step!, time: time! }]);
    await this.client.update(parent, this.#trial ? STATUS.finished : STATUS[end], Date.now());
  }

  get #record(): string | undefined {
    return this.logged.logs && join(this.logged.logs, 'mlflow.json');
  }

  /** Goes on with the server's run of a resumed run; false where there is none. */
  async #resumed(about: RunEvent): Promise<boolean> {
    const { earlier = [] } = this.logged;
    if (this.#record === undefined || earlier.length === 0) return false;
    const record = recordSchema.safeParse(await readJson(this.#record)).data;
    const run = record?.uri === this.client.uri ? await this.client.run(record.run) : undefined;
    if (!run) return false;
    this.#run = run;
    await this.client.update(run.id, 'RUNNING');
    const settings = Object.entries(paramsOf(about));
    const [known, added] = [true, false].map((has) =>
      settings.filter(([name]) => Object.hasOwn(run.params, name) === has),
    );
    const changed = known!.filter(([name, value]) => run.params[name] !== value);
    await this.client.logParams(run.id, Object.fromEntries(added!));
    await this.client.setTags(
      run.id,
      Object.fromEntries(changed.map(([name, value]) => [`resumed.${name}`, value])),
    );
    return true;
  }

  async #begin(about: RunEvent | undefined, time: number): Promise<void> {
    const { client } = this;
    const experiment = await client.experiment(this.experiment);
    const { study } = this.logged;
    if (study) this.#parent = await this.studies.of(client, experiment, study.name);
    if (this.#parent !== undefined) await client.update(this.#parent, 'RUNNING');
    const parent = this.#parent !== undefined && { 'mlflow.parentRunId': this.#parent };
    const tags = { ...sourceTags(), ...about?.versions, ...parent };
    const run = await client.createRun(experiment, about?.run ?? 'run', time, tags);
    this.#run = run;
    if (this.#record)
      await writeFileAtomic(this.#record, `${JSON.stringify({ uri: client.uri, run: run.id })}\n`);
    if (about) await client.logParams(run.id, paramsOf(about));
    if (!takesArtifacts(run))
      say(`mlflow: pictures and files stay here, since the server keeps artifacts in ${run.artifacts}`);
  }

  async #take(event: Event): Promise<void> {
    if (event.type === 'run') this.#classes = event.classes;
    if (event.type === 'trial' && event.state !== 'RUNNING') this.#trial = event;
    if (event.type === 'picture' && this.logged.logs !== undefined)
      await this.#put(join(this.logged.logs, event.path), `predictions/${basename(event.path)}`);
    const { steps } = this.#run!;
    if ('step' in event && event.type !== 'trial')
      for (const [scalar, value] of scalarsOf(event, this.#classes)) {
        const name = keyOf(scalar);
        const isNew = !Object.hasOwn(steps, name) || event.step > steps[name]!;
        if (isNew) this.#waiting.push({ name, value, step: event.step, time: Math.round(event.time) });
      }
    if (this.#waiting.length >= MOST || performance.now() - this.#sent >= GATHER) await this.#send();
  }

  async #send(): Promise<void> {
    const points = this.#waiting;
    this.#waiting = [];
    await this.client.logMetrics(this.#run!.id, points);
    this.#sent = performance.now();
  }

  /** Stores the plots that the logger `plots` has drawn. */
  async #putPlots(): Promise<void> {
    for (const path of await plotsOf(this.logged)) await this.#put(path, `plots/${basename(path)}`);
  }

  /** Stores a file, where it is there and the server takes it. */
  async #put(path: string, as: string): Promise<void> {
    if (!takesArtifacts(this.#run!)) return;
    const data = await readFile(path).catch(() => undefined);
    if (data) await this.client.putArtifact(this.#run!, as, data);
  }
}

function paramsOf(run: RunEvent): Record<string, string> {
  const settings = Object.entries(hyperparametersOf(run));
  return Object.fromEntries(
    settings.map(([name, value]) => [keyOf(name), String(value).slice(0, LONGEST.value)]),
  );
}

/** A name as MLflow takes it: other characters become `_`. */
function keyOf(name: string): string {
  return name.replaceAll(/[^\w\-./: ]/g, '_').slice(0, LONGEST.name);
}

function sourceTags(): Record<string, string> {
  const source = { 'mlflow.source.type': 'LOCAL', 'mlflow.source.name': process.argv[1] ?? 'millrace' };
  try {
    return { ...source, 'mlflow.user': userInfo().username };
  } catch {
    // A user without a name, such as a container may have.
    return source;
  }
}
