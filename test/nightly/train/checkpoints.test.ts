import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTrained, trainedRuns } from '../../../src/experiment/trained-runs.js';
import { sha256 } from '../../../src/files/digest.js';
import { jsonLines } from '../../../src/loggers/json-lines.js';
import type { Random } from '../../../src/random/random-stream.js';
import { checkpointStore } from '../../../src/train/checkpoint-store.js';
import { infoDigest } from '../../../src/train/info-digest.js';
import { readSplits } from '../../../src/train/read-checkpoint.js';
import { log } from '../../loggers/log.js';
import { runEvent } from '../../loggers/sample-run.js';
import { tinyBackbone, untrained } from '../../recipes/trained.js';
import { free, type TinyRun, tinyBatch, tinyPairs, tinyRun } from '../../train/tiny.js';
import { mutated, tryMutated, withHostileValue } from '../mutate.js';

const INFO = 'checkpoint.json';
const FILES = [INFO, 'parameters.safetensors', 'optimizer.safetensors', 'splits.json'];

/** How a folder of two checkpoints is harmed; `forged` says that the digests fit nevertheless. */
interface Harm {
  readonly what: string;
  readonly forged: boolean;
}

/**
 * Changes a file of one of the checkpoints in `paths`: its bytes, a value of its JSON, its length; removes it, puts a folder in
 * its place, exchanges it for another. In half of the cases the digests are made right again, so that what lies behind them
 * is reached.
 */
function harm(paths: readonly string[], random: Random): Harm {
  const pick = <T>(choices: readonly T[]) => choices[Math.floor(random() * choices.length)]!;
  const path = pick(paths);
  const name = random() < 0.5 ? INFO : pick(FILES);
  const file = join(path, name);
  const kind = pick([
    'bytes',
    'bytes',
    'bytes',
    'value',
    'value',
    'value',
    'cut',
    'gone',
    'folder',
    'swapped',
  ]);
  const forged = random() < 0.5 && kind !== 'gone' && kind !== 'folder';
  if (kind === 'bytes') writeFileSync(file, mutated(readFileSync(file), random));
  else if (kind === 'value' && name.endsWith('.json'))
    writeFileSync(file, withHostileValue(readFileSync(file, 'utf8'), random));
  else if (kind === 'cut') writeFileSync(file, readFileSync(file).subarray(0, Math.floor(random() * 200)));
  else if (kind === 'swapped') {
    const other = join(pick(paths), random() < 0.5 ? name : pick(FILES));
    renameSync(file, `${file}.away`);
    cpSync(other === file ? `${file}.away` : other, file);
    rmSync(`${file}.away`);
  } else {
    rmSync(file);
    if (kind === 'folder') mkdirSync(file);
  }
  if (forged) forge(path);
  return { what: `${kind} ${file}${forged ? ', forged' : ''}`, forged };
}

/** Makes the digests of a checkpoint those of its files, where its `checkpoint.json` is one still. */
function forge(path: string): void {
  try {
    const info = JSON.parse(readFileSync(join(path, INFO), 'utf8')) as { sha256: Record<string, string> };
    for (const name of FILES.slice(1)) info.sha256[name] = sha256(readFileSync(join(path, name)));
    info.sha256[INFO] = infoDigest(info);
    writeFileSync(join(path, INFO), JSON.stringify(info));
  } catch {}
}

describe('folders of checkpoints that were harmed', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-fuzz-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  /** Harms a copy of `whole` and reads it: what is refused names the folder, and what is read is `expected` unless it was forged. */
  const tryHarmed = async (
    name: string,
    whole: string,
    read: (folder: string) => Promise<unknown>,
    accepted: readonly unknown[],
  ) => {
    const folder = join(dir, 'harmed');
    const fared = await tryMutated(name, async (random) => {
      rmSync(folder, { recursive: true, force: true });
      cpSync(whole, folder, { recursive: true });
      const paths = await checkpointStore(join(folder, 'models/run')).list();
      const { what, forged } = harm(paths, random);
      const got = await read(folder).catch((error: Error) => {
        if (error.name === 'UserError') assert(error.message.includes(folder), `${what}: ${error.message}`);
        throw new Error(what, { cause: error }).cause;
      });
      if (!forged)
        assert(
          accepted.some((one) => JSON.stringify(one) === JSON.stringify(got)),
          `${what}: read as ${JSON.stringify(got).slice(0, 300)}`,
        );
    });
    assert(fared.read > 0 && fared.refused > 0);
  };

  const opened = async (folder: string): Promise<TinyRun> => {
    const store = checkpointStore(join(folder, 'models/run'));
    const run = tinyRun({ store, logs: join(folder, 'logs'), config: { rank: 4, list: ['a'] } });
    return run.open({ resume: true }).then(
      () => run,
      (error: unknown) => {
        free(run);
        throw error;
      },
    );
  };
  const stateOf = async (folder: string) => {
    const run = await opened(folder);
    try {
      const { position, sums, memory, earlier, model } = run;
      const weights = [...model.parameters].map(({ name, value }) => [name, [...value.dataSync()]]);
      const splits = await readSplits((await run.checkpoints.last())!);
      return { position, sums, memory, earlier: earlier.length, weights, splits };
    } finally {
      free(run);
    }
  };

  it('are resumed as they were, or refused', async () => {
    const whole = join(dir, 'whole');
    const [store, logs] = [checkpointStore(join(whole, 'models/run')), join(whole, 'logs')];
    const pairs = tinyPairs(6);
    const splits = { train: pairs.slice(0, 4), validation: [pairs[4]!], test: [pairs[5]!] };
    const run = tinyRun({ store, logs, splits, config: { rank: 4, list: ['a'] } });
    const events = [];
    for (const plan of [...run.plans(splits.train)].slice(0, 4)) {
      const batch = tinyBatch(plan);
      events.push(...(await run.step(batch)));
      batch.dispose();
      if (run.position % 2 === 0) events.push(await run.save(run.epoch));
    }
    free(run);
    mkdirSync(logs, { recursive: true });
    await log(jsonLines()({ logs }), [runEvent(), ...events]);
    await tryHarmed('checkpoints, resumed', whole, stateOf, [await stateOf(whole)]);
  });

  it('are scored as they were, or refused', async () => {
    const whole = join(dir, 'whole');
    const backbone = await tinyBackbone(join(dir, 'backbone'));
    const first = await untrained(join(dir, 'made'), backbone);
    const second = await untrained(join(dir, 'made'), backbone, { seed: 7, batchSize: 3 });
    cpSync(first, join(whole, 'models/run/step-00000000'), { recursive: true });
    cpSync(second, join(whole, 'models/run/step-00000001'), { recursive: true });
    const scored = async (folder: string) => {
      const [run] = await trainedRuns(join(folder, 'models'));
      const model = await loadTrained(run!);
      try {
        const weights = [...model.parameters].map(({ name, value }) => [name, [...value.dataSync()]]);
        return { settings: run!.settings, splits: run!.splits, weights };
      } finally {
        model.dispose();
      }
    };
    await tryHarmed('checkpoints, scored', whole, scored, [await scored(whole)]);
  });
});
