import type { MlflowClient } from './mlflow-client.js';

/** The tag that names a study on its run. */
const TAG = 'millrace.study';

/** The runs of studies on a server, which are the parents of their trials' runs. */
export class MlflowStudies {
  readonly #parents = new Map<string, Promise<string>>();

  /** The id of a study's run in an experiment: the oldest that has its name, or a new one. */
  of(client: MlflowClient, experiment: string, study: string): Promise<string> {
    const key = JSON.stringify([client.uri, experiment, study]);
    const known = this.#parents.get(key);
    if (known) return known;
    const parent = findOrCreate(client, experiment, study);
    this.#parents.set(key, parent);
    parent.catch(() => this.#parents.delete(key));
    return parent;
  }
}

async function findOrCreate(client: MlflowClient, experiment: string, study: string): Promise<string> {
  const [known] = await client.runsWith(experiment, TAG, study);
  if (known !== undefined) return known;
  const { id } = await client.createRun(experiment, study, Date.now(), { [TAG]: study });
  // Another process may have created one meanwhile: all keep the oldest.
  return client.orFail(id, async () => {
    const [oldest = id] = await client.runsWith(experiment, TAG, study);
    if (oldest !== id) await client.deleteRun(id);
    return oldest;
  });
}
