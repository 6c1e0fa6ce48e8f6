import { flagName } from '../cli/flag.js';
import { type Size, sizeText } from '../data/images/image-size.js';
import { type ChangedSetting, changedSettings, refuseChanged } from '../train/earlier-run.js';
import { readCheckpointInfo } from '../train/read-checkpoint.js';

/** Settings that change neither a step nor its record: no checkpoint holds them. */
const UNRECORDED = [
  'resume',
  'overwrite',
  'ahead',
  'cache',
  'cacheDir',
  'cacheGib',
  'trunkCacheGib',
  'pictures',
  'histograms',
  'checkpointBlocks',
  'dashboard',
];

/** The settings of a run that its checkpoints record. */
export function recordedSettings<S extends object>(settings: S): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(settings).filter(([key]) => !UNRECORDED.includes(key)));
}

/**
 * Refuses to resume a run with other flags than it began with, before anything is read that they name.
 *
 * @throws UserError naming all settings that differ, and the flags to repeat.
 */
export async function checkResumed(path: string, settings: object): Promise<void> {
  const info = await readCheckpointInfo(path);
  const asked = recordedSettings(settings);
  // A checkpoint holds the names of the classes that were derived, too.
  const keys = Object.keys(asked).filter((key) => key !== 'classNames' || asked[key] !== undefined);
  const changes = changedSettings({ path, info }, asked, keys);
  const [unset, set] = [true, false].map((absent) =>
    changes.filter(({ was }) => ((was ?? null) === null) === absent),
  );
  const hint = [
    ...(set!.length > 0 ? [`with ${set!.map(flagOf).join(' ')}`] : []),
    ...(unset!.length > 0 ? [`without ${unset!.map(({ key }) => `--${flagName(key)}`).join(', ')}`] : []),
  ];
  refuseChanged(path, changes, `resume ${hint.join(' and ')}`);
}

function isSize(value: unknown): value is Size {
  return typeof value === 'object' && value !== null && 'width' in value;
}

/** The flag that gives a setting its earlier value. */
function flagOf({ key, was }: ChangedSetting): string {
  const name = flagName(key);
  if (typeof was === 'boolean') return `--${was ? '' : 'no-'}${name}`;
  const word = Array.isArray(was) ? was.join() : isSize(was) ? sizeText(was) : String(was);
  return `--${name} ${/^[\w./:,@%+-]+$/.test(word) ? word : JSON.stringify(word)}`;
}
