import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import fastGlob from 'fast-glob';
import { Fields } from './read-protobuf.js';
import type { TrackedRun } from './tracked-run.js';

/** The records of a `.wandb` file, each piece checked against its checksum. */
export function wandbRecords(data: Buffer): Fields[] {
  assert.equal(data.subarray(0, 7).toString('latin1'), ':W&B\xe1\xbe\x00');
  const records: Fields[] = [];
  let pieces: Buffer[] = [];
  for (let at = 7; at < data.length; ) {
    const left = 32_768 - (at % 32_768);
    if (left < 7) {
      at += left;
      continue;
    }
    const [sum, length, type] = [data.readUInt32LE(at), data.readUInt16LE(at + 4), data.readUInt8(at + 6)];
    assert.ok(length <= left - 7, 'a piece ends in its block');
    const piece = data.subarray(at + 7, at + 7 + length);
    assert.equal(crc32(data.subarray(at + 6, at + 7 + length)), sum);
    assert.equal(type === 1 || type === 2, pieces.length === 0, `a piece of type ${type}`);
    pieces.push(piece);
    at += 7 + length;
    if (type === 2 || type === 3) continue;
    records.push(new Fields(Buffer.concat(pieces)));
    pieces = [];
  }
  assert.equal(pieces.length, 0);
  records.forEach((record, i) => assert.equal(record.number(1), i + 1));
  return records;
}

/** A value as wandb writes it: JSON with NaN and infinities. */
function parsed(json: string): unknown {
  return /^-?(NaN|Infinity)$/.test(json) ? Number(json) : JSON.parse(json);
}

/** The rows of a file by step: values under their names, parts of objects under `name.part`. */
export function wandbRows(records: readonly Fields[]): [step: number, row: Record<string, unknown>][] {
  return records
    .filter((record) => record.has(2))
    .map((record) => {
      const history = record.message(2);
      const items = history.messages(1).map((item) => [item.texts(2).join('.'), parsed(item.text(16))]);
      return [history.message(2).number(1), Object.fromEntries(items)];
    });
}

/** The file of each run in a folder of logs. */
export async function wandbFiles(logs: string): Promise<Buffer[]> {
  const files = await fastGlob('wandb/offline-run-*/run-*.wandb', { cwd: logs });
  return Promise.all(files.map((file) => readFile(join(logs, file))));
}

/** The runs in a folder of logs. */
export async function readWandb(logs: string): Promise<TrackedRun[]> {
  return (await wandbFiles(logs)).map((data) => {
    const records = wandbRecords(data);
    const rows = wandbRows(records);
    const steps = rows.map(([step]) => step);
    assert.deepEqual(
      steps,
      [...new Set(steps)].toSorted((a, b) => a - b),
      'one row a step, in order',
    );
    const run = records.find((record) => record.has(17))!.message(17);
    const settings = run.message(4).messages(1);
    return {
      scalars: (name) => rows.flatMap(([step, row]) => (name in row ? [[step, row[name] as number]] : [])),
      settings: Object.fromEntries(settings.map((item) => [item.text(1), parsed(item.text(16))])),
      end: records
        .find((record) => record.has(18))
        ?.message(18)
        .number(1),
    };
  });
}
