import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readEvents } from '../../src/events/read-events.js';
import { jsonLines } from '../../src/loggers/json-lines.js';
import { tensorBoard } from '../../src/loggers/tensor-board.js';
import { crc32c, double, float, tfRecord, varint } from '../../src/loggers/tf-record.js';
import { log, withFolder } from './log.js';
import { later, runEvent, sampleRun, stepEvent } from './sample-run.js';

const only = async (dir: string) => {
  const names = await readdir(dir);
  assert.equal(names.length, 1);
  return readFile(join(dir, names[0]!));
};

/** Payloads of a file, each checked against its checksums. */
function payloads(data: Buffer): Buffer[] {
  const result: Buffer[] = [];
  for (let at = 0; at < data.length; ) {
    const length = Number(data.readBigUInt64LE(at));
    const payload = data.subarray(at + 12, at + 12 + length);
    assert.deepEqual(data.subarray(at, at + 16 + length), tfRecord(payload));
    result.push(payload);
    at += 16 + length;
  }
  return result;
}

describe('crc32c', () => {
  it('gives the check values of RFC 3720, B.4', () => {
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
    assert.equal(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
    assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
    assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  });
});

describe('protocol buffer fields', () => {
  it('are laid out as the encoding guide has them', () => {
    assert.equal(varint(1, 150).toString('hex'), '089601');
    assert.equal(varint(2, 2 ** 40).toString('hex'), '10808080808020');
    assert.equal(float(2, 1).toString('hex'), '150000803f');
    assert.equal(double(1, 1).toString('hex'), '09000000000000f03f');
  });
});

describe('tensorBoard', () => {
  it('begins with the version, then one event for each step, epoch and validation', () =>
    withFolder(async (dir) => {
      await log(tensorBoard(dir)({}), sampleRun());
      const [version, ...events] = payloads(await only(dir));
      assert.match(version!.toString('latin1'), /brain\.Event:2$/);
      assert.equal(events.length, 12 + 3 + 3 + 1);
      const text = Buffer.concat(events).toString('latin1');
      for (const name of [
        'train/loss',
        'learning_rate/all',
        'validation/soft_dice',
        'validation_dice/pet',
        'test_iou/background',
      ])
        assert.ok(text.includes(name), name);
      assert.ok(!text.includes('dice/boundary'), 'a class that does not occur has no score');
    }));

  it('holds NaN after a resume where it held it before', () =>
    withFolder(async (dir) => {
      const nan = [runEvent(), stepEvent(1, { loss: Number.NaN })];
      await log(jsonLines(join(dir, 'logs'))({}), nan);
      await log(tensorBoard(join(dir, 'a'))({}), nan);
      const earlier = await readEvents(join(dir, 'logs/events.jsonl'));
      await log(tensorBoard(join(dir, 'b'))({ earlier }), [runEvent()]);
      const [a, b] = [await only(join(dir, 'a')), await only(join(dir, 'b'))];
      assert.deepEqual(payloads(b), payloads(a));
    }));

  it('holds after a resume one file with the kept and the new points, byte for byte but for its clocks', () =>
    withFolder(async (dir) => {
      const whole = sampleRun();
      await log(tensorBoard(dir)({}), whole);
      const unbroken = payloads(await only(dir)).slice(1);
      await writeFile(join(dir, 'notes.txt'), 'mine');
      await log(tensorBoard(dir)({ earlier: whole.slice(0, 8) }), [
        ...later([runEvent()], 60),
        ...whole.slice(8),
      ]);
      const names = (await readdir(dir)).filter((name) => name !== 'notes.txt');
      assert.equal(names.length, 1);
      assert.deepEqual(payloads(await readFile(join(dir, names[0]!))).slice(1), unbroken);
    }));
});
