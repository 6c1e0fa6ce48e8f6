import { type FileHandle, open } from 'node:fs/promises';
import { UserError } from '../base/errors.js';
import { oneLine } from '../base/printable.js';
import { whatIsThere } from '../base/what-is-there.js';
import { globalName, itemsOf, Pickled, readPickle } from './pickle.js';
import { type Dtype, type StoredTensor, toArray } from './safetensors-format.js';
import { type ZipEntry, zipEntries } from './zip-entries.js';

/** PyTorch's storages, by their names in a pickle: type of numbers and bytes of each. */
const STORAGES: Readonly<Record<string, readonly [Dtype, number]>> = {
  'torch.DoubleStorage': ['F64', 8],
  'torch.FloatStorage': ['F32', 4],
  'torch.HalfStorage': ['F16', 2],
  'torch.BFloat16Storage': ['BF16', 2],
  'torch.LongStorage': ['I64', 8],
  'torch.IntStorage': ['I32', 4],
  'torch.ShortStorage': ['I16', 2],
  'torch.CharStorage': ['I8', 1],
  'torch.ByteStorage': ['U8', 1],
  'torch.BoolStorage': ['BOOL', 1],
};

const TENSOR = 'torch._utils._rebuild_tensor_v2';
const PARAMETER = 'torch._utils._rebuild_parameter';
const DICTIONARY = 'collections.OrderedDict';
/** The flags of a training, beside its model; an object without effect here. */
const FLAGS = 'argparse.Namespace';

/** The parts of a training's checkpoint that hold a model, the preferred first. */
const PARTS = ['model', 'state_dict', 'model_state_dict', 'teacher', 'model_ema', 'student'];

/** Where a tensor's numbers are. */
interface Storage {
  readonly dtype: Dtype;
  readonly bytes: number;
  readonly entry: ZipEntry;
}

/**
 * The tensors of a checkpoint that torch.save wrote (since 1.6), by name: of a state_dict, or of the model in a training's
 * checkpoint (`model`, `state_dict`, `teacher`).
 *
 * Its pickle is read and not executed: a call of anything but a tensor, a parameter or a dictionary is refused by name.
 *
 * @throws UserError naming the file, for a pickle that calls anything else, and for what is no such file or is cut off.
 */
export async function readTorchFile(path: string): Promise<ReadonlyMap<string, StoredTensor>> {
  const fail = (got: string): never => {
    throw new UserError(
      `${path}: expected a checkpoint of torch.save with tensors alone, got ${oneLine(got)}; save the model's state_dict, or convert it in Python: import torch, safetensors.torch; safetensors.torch.save_file({k: v.contiguous() for k, v in torch.load("…", map_location="cpu", weights_only=True).items()}, "model.safetensors")`,
      { path },
    );
  };
  const file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => fail(whatIsThere(cause)));
  try {
    const entries = await zipEntries(file, (await file.stat()).size, fail);
    const byName = new Map(entries.map((entry) => [entry.name.replace(/^[^/]*\//, ''), entry]));
    const order = byName.get('byteorder');
    if (order && (await bytesOf(file, order)).toString() !== 'little') fail('big-endian numbers');
    const pickle = byName.get('data.pkl') ?? fail('an archive without data.pkl');
    const storage = (id: unknown): Storage => {
      const [kind, type, key] = Array.isArray(id) ? (id as unknown[]) : [];
      const [dtype, bytes] = STORAGES[globalName(type) ?? ''] ?? fail('a storage of an unknown type');
      const entry = kind === 'storage' && typeof key === 'string' ? byName.get(`data/${key}`) : undefined;
      return { dtype, bytes, entry: entry ?? fail('a storage that is not in the archive') };
    };
    const known = (name: string) =>
      [TENSOR, PARAMETER, DICTIONARY, FLAGS].includes(name) || Object.hasOwn(STORAGES, name);
    const root = readPickle(await bytesOf(file, pickle), { known, persistent: storage }, fail);
    const tensors = new Map<string, StoredTensor>();
    for (const [name, value] of modelIn(dictionary(root) ?? fail('no dictionary'), fail))
      tensors.set(name, await tensorOf(file, value, (got) => fail(`${name}: ${got}`)));
    return tensors;
  } finally {
    await file.close();
  }
}

async function bytesOf(file: FileHandle, { offset, size }: ZipEntry): Promise<Buffer> {
  const bytes = Buffer.alloc(size);
  for (let read = 0; read < size; ) {
    // One call reads less than 2 GiB.
    const { bytesRead } = await file.read(bytes, read, Math.min(size - read, 2 ** 30), offset + read);
    if (bytesRead === 0) throw new Error('the file became shorter while it was read');
    read += bytesRead;
  }
  return bytes;
}

function dictionary(value: unknown): Map<unknown, unknown> | undefined {
  if (value instanceof Map) return value;
  return value instanceof Pickled && value.name === DICTIONARY ? itemsOf(value) : undefined;
}

/** The tensors of a state_dict, or of the model that a checkpoint holds. */
function modelIn(root: Map<unknown, unknown>, fail: (got: string) => never): [string, Pickled][] {
  for (const part of [root, ...PARTS.map((name) => dictionary(root.get(name)))]) {
    const tensors = [...(part ?? [])].filter(
      (entry): entry is [string, Pickled] => typeof entry[0] === 'string' && isTensor(entry[1]),
    );
    if (tensors.length > 0) return tensors;
  }
  return fail('no tensors');
}

function isTensor(value: unknown): value is Pickled {
  return value instanceof Pickled && [TENSOR, PARAMETER].includes(value.name);
}

async function tensorOf(
  file: FileHandle,
  value: Pickled,
  fail: (got: string) => never,
): Promise<StoredTensor> {
  if (value.name === PARAMETER) {
    const inner = value.args[0];
    return isTensor(inner) && inner.name === TENSOR ? tensorOf(file, inner, fail) : fail('no tensor in it');
  }
  const [storage, offset, shape, strides] = value.args as [Storage, unknown, unknown, unknown];
  const counts = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!counts([offset]) || !counts(shape) || !counts(strides) || shape.length !== strides.length)
    return fail('a shape that is none');
  const size = shape.reduce((a, b) => a * b, 1);
  const last = (offset as number) + shape.reduce((sum, n, i) => sum + (n - 1) * strides[i]!, 0);
  const room = Math.floor(storage.entry.size / storage.bytes);
  if (size > room || (size > 0 && last >= room)) return fail(`${size} numbers in a storage of ${room}`);
  const bytes = await bytesOf(file, storage.entry);
  const whole = toArray(new Uint8Array(bytes).buffer, storage.dtype);
  return { dtype: storage.dtype, shape, data: strided(whole, offset as number, shape, strides) };
}

/** The numbers of a tensor in its own order. */
function strided<T extends Float32Array | Int32Array>(
  whole: T,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): T {
  const size = shape.reduce((a, b) => a * b, 1);
  let step = 1;
  const isPlain = shape.every((_, i) => {
    const axis = shape.length - 1 - i;
    const fits = shape[axis] === 1 || strides[axis] === step;
    step *= shape[axis]!;
    return fits;
  });
  if (isPlain) return whole.slice(offset, offset + size) as T;
  const data = whole.slice(0, size) as T;
  for (let i = 0; i < size; i++) {
    let [rest, at] = [i, offset];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % shape[axis]!) * strides[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    data[i] = whole[at]!;
  }
  return data;
}
