import type { Batch, Tensors } from '../data/batch.js';
import { loadNotes, renderSeconds, sampleNotes, trunkSeconds } from '../data/load-notes.js';
import type { DataPace, WarningEvent } from '../events/event.js';
import { warningEvent } from '../events/warning-event.js';

/** Waiting for data above this share of an epoch is worth a word, */
const SHARE = 0.1;
/** and only above these seconds: short runs wait while they warm up. */
const SECONDS = 5;

const NOTHING: DataPace = {
  waitSeconds: 0,
  loadSeconds: 0,
  decodeSeconds: 0,
  renderSeconds: 0,
  ready: 0,
  hits: 0,
  kept: 0,
  full: 0,
};

/** Adds up how a run's batches were loaded, and says once when the training waits for them. */
export class DataWaits {
  #sum: DataPace | undefined;
  #steps = 0;
  #said = false;

  /** How a batch was loaded; undefined for one that `prefetch` did not hand out. */
  add(batch: Batch<Tensors, Tensors>): DataPace | undefined {
    const notes = loadNotes(batch);
    if (!notes) return undefined;
    const samples = batch.plan.samples.flatMap((plan) => sampleNotes(plan) ?? []);
    const count = (outcome: string) => samples.filter(({ cache }) => cache === outcome).length;
    const pace: DataPace = {
      ...notes,
      waitSeconds: Math.max(0, notes.waitSeconds - trunkSeconds(batch)),
      decodeSeconds: samples.reduce((sum, { seconds }) => sum + seconds, 0),
      renderSeconds: renderSeconds(batch),
      hits: count('hit'),
      kept: count('kept'),
      full: count('full'),
    };
    this.#sum = sum(this.#sum ?? NOTHING, pace);
    this.#steps++;
    return pace;
  }

  /** The sums of an epoch, `ready` as a mean, and the warning where it is due; then begins anew. */
  endEpoch(epoch: number, stepSeconds: number): { data?: DataPace; warnings: WarningEvent[] } {
    const total = this.#sum;
    if (!total) return { warnings: [] };
    const data = { ...total, ready: total.ready / this.#steps };
    this.#sum = undefined;
    this.#steps = 0;
    const share = data.waitSeconds / (data.waitSeconds + stepSeconds);
    if (this.#said || data.waitSeconds < SECONDS || share < SHARE) return { data, warnings: [] };
    this.#said = true;
    const message = `training waited for data for ${Math.round(100 * share)} % of epoch ${epoch}, ${data.waitSeconds.toFixed(0)} s: ${advice(data)}`;
    return { data, warnings: [warningEvent('data-wait', message)] };
  }
}

function sum(a: DataPace, b: DataPace): DataPace {
  const entries = Object.entries(b) as [keyof DataPace, number][];
  return Object.fromEntries(entries.map(([key, value]) => [key, a[key] + value])) as unknown as DataPace;
}

/** The slowest stage, and the flag that helps it. */
function advice({ decodeSeconds, renderSeconds: made, hits, kept, full, loadSeconds }: DataPace): string {
  if (decodeSeconds > made && full > 0)
    return `decoding takes longest, and the cache has no room for ${full} pictures; raise --cache-gib, or give --cache disk`;
  if (decodeSeconds > made && kept > 0)
    return 'decoding takes longest, and later epochs have its results from the cache; --decode fast shortens the first';
  if (decodeSeconds > made && hits === 0)
    return 'decoding takes longest; give --cache memory or disk, or --decode fast';
  if (decodeSeconds > made) return 'reading the cache takes longest; give --cache memory, or --ahead 4';
  if (made > loadSeconds / 2) return 'augmentation takes longest; give fewer of --augment, or --ahead 4';
  return 'give --ahead 4';
}
