import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tfRecord } from '../../src/loggers/tf-record.js';
import { Fields } from './read-protobuf.js';
import type { TrackedRun } from './tracked-run.js';

/** The one event file of a folder. */
export async function eventFile(dir: string): Promise<Buffer> {
  const names = (await readdir(dir)).filter((name) => name.startsWith('events.out.tfevents.'));
  assert.equal(names.length, 1);
  return readFile(join(dir, names[0]!));
}

/** The events of a file, each record checked against its checksums. */
export function eventsOf(data: Buffer): Fields[] {
  const result: Fields[] = [];
  for (let at = 0; at < data.length; ) {
    const length = Number(data.readBigUInt64LE(at));
    const payload = data.subarray(at + 12, at + 12 + length);
    assert.deepEqual(data.subarray(at, at + 16 + length), tfRecord(payload));
    result.push(new Fields(payload));
    at += 16 + length;
  }
  return result;
}

/** All values of a file with their steps. */
export async function valuesIn(dir: string): Promise<{ tag: string; step: number; value: Fields }[]> {
  return eventsOf(await eventFile(dir)).flatMap((event) =>
    (event.has(5) ? event.message(5).messages(1) : []).map((value) => ({
      tag: value.text(1),
      step: event.number(2),
      value,
    })),
  );
}

export async function scalarsIn(dir: string): Promise<[tag: string, step: number, value: number][]> {
  const values = (await valuesIn(dir)).filter(({ value }) => value.has(2));
  return values.map(({ tag, step, value }) => [tag, step, value.number(2)]);
}

/** What the HParams plugin has under a tag. */
export async function hparamsIn(dir: string, tag: string): Promise<Fields> {
  const found = (await valuesIn(dir)).filter((value) => value.tag === tag);
  assert.equal(found.length, 1, tag);
  const plugin = found[0]!.value.message(9).message(1);
  assert.equal(plugin.text(1), 'hparams');
  return plugin.message(2);
}

/** The run in a folder. */
export async function readTensorBoard(dir: string): Promise<TrackedRun> {
  const scalars = await scalarsIn(dir);
  const start = (await hparamsIn(dir, '_hparams_/session_start_info')).message(3);
  const end = (await hparamsIn(dir, '_hparams_/session_end_info')).message(4);
  const settings = start.messages(1).map((entry) => {
    const value = entry.message(2);
    const read = value.has(2) ? value.number(2) : value.has(3) ? value.text(3) : value.number(4) === 1;
    return [entry.text(1), read];
  });
  return {
    scalars: (name) => scalars.filter(([tag]) => tag === name).map(([, step, value]) => [step, value]),
    settings: Object.fromEntries(settings),
    end: end.number(1),
  };
}
