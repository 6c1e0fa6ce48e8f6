import { UserError } from '../base/errors.js';
import { modeOf } from '../events/metric.js';
import { percentText } from '../files/tables.js';
import { createStudy } from '../study/create-study.js';
import { samplers } from '../study/samplers/samplers.js';
import { seededByTrial } from '../study/samplers/seeded-by-trial.js';
import type { Study } from '../study/study.js';
import type { AdapterSearch } from './adapter-search.js';
import { studyNameOf } from './search-flags.js';
import { searchedTasks } from './searched-tasks.js';
import { type PrunerSettings, studyPruner } from './study-pruner.js';

/** Settings of `searchStudy`: the flags of the study, and what its name is made of. */
export interface SearchStudySettings extends PrunerSettings {
  readonly storage: string;
  readonly studyName?: string | undefined;
  readonly optimizeFor: string;
  readonly sampler: string;
  readonly heartbeat?: number | undefined;
  readonly maxRetries?: number | undefined;
  readonly randomSeed: number;
  readonly epochs: number;
  readonly task: string;
  readonly loraType: string;
  readonly mode: string;
  readonly dataPercentage: number;
  readonly separateLr: boolean;
  readonly freezeEpochs?: readonly number[] | undefined;
}

/**
 * The study of a search: a new one, or an existing one to continue.
 *
 * @throws UserError where the study of that name has searched something else: its trials could not be compared.
 */
export async function searchStudy(
  settings: SearchStudySettings,
  searchSpace: AdapterSearch['space'],
): Promise<Study> {
  const make = (seed: number) => samplers.make(settings.sampler, { seed, workers: 2, searchSpace });
  const { storage, optimizeFor, randomSeed, epochs } = settings;
  const { sampler, heartbeat, maxRetries } = settings;
  const study = await createStudy({
    storage,
    studyName: studyNameOf(settings),
    direction: modeOf(optimizeFor) === 'min' ? 'minimize' : 'maximize',
    loadIfExists: true,
    heartbeatInterval: heartbeat,
    maxRetries,
    // The order of a grid is the study's, not a trial's.
    sampler: sampler === 'grid' ? make(randomSeed) : seededByTrial(randomSeed, make),
    pruner: studyPruner(settings, epochs),
  });
  const searched = whatIsSearched(settings);
  const before = searchedBefore((await study.userAttrs())['searched']) ?? searched;
  if (before !== searched)
    throw new UserError(
      `--study-name ${study.name}: expected the search that it began as, ${before}, got ${searched}; give another name`,
    );
  await study.setUserAttr('searched', searched);
  return study;
}

/** The settings that trials must share to be comparable. */
function whatIsSearched(settings: SearchStudySettings): string {
  const { task, loraType, optimizeFor, mode, epochs, dataPercentage, separateLr, freezeEpochs } = settings;
  const { prefix, sources } = searchedTasks.get(task);
  const what = `${prefix}${mode === 'adapters' ? loraType : mode}`;
  const places = settings as object as Readonly<Record<string, unknown>>;
  const source = sources.map((flag) => places[flag]).find((place) => place !== undefined);
  const data = `${percentText(dataPercentage)} of ${String(source ?? 'the embedded pictures')}`;
  const frozen = freezeEpochs ? `, frozen for ${freezeEpochs.join(' or ')} epochs` : '';
  const rates = separateLr ? ', separate rates' : '';
  return `${labelOf(optimizeFor)} of ${what}${rates}${frozen}, ${epochs} epochs on ${data}`;
}

/** The search that a study was created for. Earlier versions used upstream's names for the soft scores. */
function searchedBefore(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  return text.replace(/^dice of/, 'softDice of').replace(/^iou of/, 'softIou of');
}

/** A metric as a study notes it; `dice` and `iou` alone are the soft ones of an earlier version. */
function labelOf(metric: string): string {
  return metric === 'dice' || metric === 'iou' ? `hard ${metric}` : metric;
}
