import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../src/base/errors.js';
import { readTorchFile } from '../../src/files/torch-file.js';

/** A zip archive of stored files, as torch.save makes it (without checksums, which nothing here reads). */
function archive(files: Readonly<Record<string, Uint8Array>>, method = 0): Buffer {
  const [locals, directory]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const [name, bytes] of Object.entries(files)) {
    const local = Buffer.alloc(30 + name.length);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    local.write(name, 30);
    const entry = Buffer.alloc(46 + name.length);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(bytes.length, 20);
    entry.writeUInt32LE(bytes.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    entry.write(name, 46);
    locals.push(local, Buffer.from(bytes));
    directory.push(entry);
    offset += local.length + bytes.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, listed, end]);
}

/** The same beyond 4 GiB (zip64), with a hole before the last file. */
function writeLarge(path: string, files: Readonly<Record<string, Uint8Array>>): void {
  const file = openSync(path, 'w');
  const names = Object.keys(files);
  let offset = 0;
  const entries = names.map((name, i) => {
    if (i === names.length - 1) offset = 2 ** 32 + 5;
    const bytes = files[name]!;
    const local = Buffer.alloc(30 + name.length);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    local.write(name, 30);
    writeSync(file, local, 0, local.length, offset);
    writeSync(file, bytes, 0, bytes.length, offset + local.length);
    // A field that is none of ours comes first; then both sizes and the place.
    const entry = Buffer.alloc(46 + name.length + 6 + 28);
    entry.writeUInt32LE(0x02014b50, 0);
    for (const place of [20, 24, 42]) entry.writeUInt32LE(0xffffffff, place);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt16LE(6 + 28, 30);
    entry.write(name, 46);
    const extra = 46 + name.length;
    entry.writeUInt16LE(0x4246, extra);
    entry.writeUInt16LE(2, extra + 2);
    entry.writeUInt16LE(1, extra + 6);
    entry.writeUInt16LE(24, extra + 8);
    for (const [at, value] of [bytes.length, bytes.length, offset].entries())
      entry.writeBigUInt64LE(BigInt(value), extra + 10 + 8 * at);
    offset += local.length + bytes.length;
    return entry;
  });
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(56 + 20 + 22);
  end.writeUInt32LE(0x06064b50, 0);
  for (const [at, value] of [names.length, directory.length, offset].entries())
    end.writeBigUInt64LE(BigInt(value), 32 + 8 * at);
  end.writeUInt32LE(0x07064b50, 56);
  end.writeBigUInt64LE(BigInt(offset + directory.length), 64);
  end.writeUInt32LE(0x06054b50, 76);
  end.writeUInt16LE(0xffff, 86);
  for (const place of [88, 92]) end.writeUInt32LE(0xffffffff, place);
  writeSync(file, Buffer.concat([directory, end]), 0, directory.length + end.length, offset);
  closeSync(file);
}

const text = (value: string) =>
  Buffer.concat([Buffer.from([0x58, value.length, 0, 0, 0]), Buffer.from(value)]);
const global = (module: string, name: string) => Buffer.from(`c${module}\n${name}\n`);
const int = (value: number) => Buffer.from([0x4b, value]);
const tuple = (...parts: Buffer[]) => Buffer.concat([Buffer.from('('), ...parts, Buffer.from('t')]);
const pickle = (...parts: Buffer[]) => Buffer.concat([Buffer.from([0x80, 2]), ...parts, Buffer.from('.')]);

/** A call of _rebuild_tensor_v2 on the storage `key` of FloatStorage. */
function tensor(key: string, offset: number, shape: number[], strides: number[]): Buffer {
  const id = tuple(text('storage'), global('torch', 'FloatStorage'), text(key), text('cpu'), int(6));
  const sizes = [shape, strides].map((list) => tuple(...list.map(int)));
  const hooks = Buffer.concat([global('collections', 'OrderedDict'), Buffer.from(')R')]);
  const args = tuple(
    Buffer.concat([id, Buffer.from('Q')]),
    int(offset),
    ...sizes,
    Buffer.from([0x89]),
    hooks,
  );
  return Buffer.concat([global('torch._utils', '_rebuild_tensor_v2'), args, Buffer.from('R')]);
}
const dict = (...pairs: Buffer[]) => Buffer.concat([Buffer.from('}('), ...pairs, Buffer.from('u')]);

describe('readTorchFile', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
  });
  after(() => rmSync(dir, { recursive: true }));
  const six = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);
  const read = (data: Buffer, method?: number) => {
    const path = join(dir, 'model.pth');
    writeFileSync(path, archive({ 'm/data.pkl': data, 'm/data/0': six }, method));
    return readTorchFile(path);
  };
  const refused = (data: Buffer, message: RegExp, method?: number) =>
    assert.rejects(read(data, method), (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, message);
      return true;
    });

  it('reads tensors, their views and transposes, of the model in a checkpoint', async () => {
    const model = dict(
      text('a'),
      tensor('0', 0, [2, 3], [3, 1]),
      text('b'),
      tensor('0', 0, [3, 2], [1, 3]),
      text('c'),
      tensor('0', 4, [2], [1]),
    );
    const tensors = await read(pickle(dict(text('epoch'), int(3), text('model'), model)));
    assert.deepEqual(
      [...tensors].map(([name, { shape, data }]) => [name, shape, [...data]]),
      [
        ['a', [2, 3], [1, 2, 3, 4, 5, 6]],
        ['b', [3, 2], [1, 4, 2, 5, 3, 6]],
        ['c', [2], [5, 6]],
      ],
    );
  });

  it('reads an archive beyond 4 GiB, and refuses a cut one', async () => {
    const path = join(dir, 'large.pth');
    const data = pickle(dict(text('a'), tensor('0', 0, [2, 3], [3, 1])));
    writeLarge(path, { 'm/data.pkl': data, 'm/data/0': six });
    assert.deepEqual([...(await readTorchFile(path)).get('a')!.data], [1, 2, 3, 4, 5, 6]);
    truncateSync(path, 2 ** 32);
    await assert.rejects(readTorchFile(path), /got no archive/);
    rmSync(path);
  });

  it('calls nothing: a pickle that asks for more than tensors is refused by the name of what it would call', async () => {
    const hostile = Buffer.concat([
      global('os', 'system'),
      tuple(text('touch /tmp/owned')),
      Buffer.from('R'),
    ]);
    await refused(pickle(hostile), /tensors alone, got a call of os\.system; save the model's state_dict/);
    const stacked = Buffer.concat([text('builtins'), text('eval'), Buffer.from([0x93])]);
    await refused(pickle(stacked), /got a call of builtins\.eval/);
    await refused(pickle(Buffer.from('i')), /got the opcode 0x69, which torch\.save does not write/);
  });

  it('refuses tensors beyond their storage, compressed archives, and what is cut off', async () => {
    await refused(pickle(dict(text('a'), tensor('0', 0, [7], [1]))), /got a: 7 numbers in a storage of 6/);
    await refused(pickle(dict(text('a'), tensor('0', 0, [2, 2], [6, 1]))), /got a: 4 numbers in a storage/);
    await refused(
      pickle(dict(text('a'), tensor('0', 0, [255, 255], [0, 0]))),
      /65025 numbers in a storage of 6/,
    );
    await refused(
      pickle(dict(text('a'), tensor('9', 0, [1], [1]))),
      /got a storage that is not in the archive/,
    );
    await refused(pickle(dict(text('a'), int(1))), /got no tensors/);
    await refused(pickle(), /takes what is not there/);
    await refused(pickle(dict()).subarray(0, 4), /got a pickle that is cut off/);
    await refused(pickle(dict()), /got an archive that compresses m\/data\.pkl/, 8);
    const path = join(dir, 'old.pth');
    writeFileSync(path, 'no archive');
    await assert.rejects(
      readTorchFile(path),
      /old\.pth: expected a checkpoint of torch\.save .* got no archive/,
    );
    await assert.rejects(
      readTorchFile(join(dir, 'missing.pth')),
      /missing\.pth: expected .* got nothing there/,
    );
  });
});
