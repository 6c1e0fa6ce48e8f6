import { UserError } from '../../base/errors.js';
import { oneLine } from '../../base/printable.js';
import { tensor } from '../../base/tfjs-core.js';
import type { Json } from '../../files/json-file.js';
import type { StoredTensor } from '../../files/safetensors-format.js';
import type { AdapterOptions } from '../../model/adapter.js';
import { TARGETS } from '../../model/targets.js';
import type { TorchPlace } from '../../model/torch-place.js';
import type { AdaptableVit } from '../../model/vit/adaptable-vit.js';
import { fromTorchLayout } from '../../model/vit/layout.js';
import { siteOfModule } from '../../model/vit/names.js';
import { parsePeftConfig } from '../peft-config.js';
import { localizedLoraFromPeft } from './localized-lora-from-peft.js';
import { loraFromPeft } from './lora-from-peft.js';
import { PEFT_PREFIX } from './peft-files.js';
import { adapterPlaces } from './peft-places.js';

/** The adapters that can be read, by PEFT's `peft_type`. */
const READERS = { LORA: loraFromPeft, GRALORA: localizedLoraFromPeft };

/** The contents of an adapter's files, each with the path that errors name; the tensors are read after the config. */
export interface PeftContents {
  readonly config: { readonly path: string; readonly json: Json | undefined };
  weights(): Promise<PeftTensors>;
  head(): Promise<PeftTensors | undefined>;
}

interface PeftTensors {
  readonly path: string;
  readonly tensors: Stored;
}

/** Puts an adapter, and its head if there is one, into a model without one; see `loadPeft`. */
export async function putPeft<M extends AdaptableVit>(model: M, contents: PeftContents): Promise<M> {
  const adapterOf = parsePeftConfig(contents.config.path, contents.config.json, READERS);
  const { path, tensors } = await contents.weights();
  const { changes, head } = parts(tensors, path);
  const given = await contents.head();
  const headPath = given?.path ?? path;
  const headFile = given && withoutCounts(given.tensors);

  const adapter = adapterOf(placesOf(changes, model.config.num_hidden_layers));
  const filled = [
    ...([4, 5] as const).map((spelling) => ({
      path,
      places: adapterPlaces(model, adapter, spelling),
      tensors: new Map(
        changes.filter(({ site }) => site.spelling === spelling).map(({ key, stored }) => [key, stored]),
      ),
    })),
    { path: headPath, places: model.headPlaces(), tensors: headFile ?? head },
  ].filter((part) => part.tensors.size > 0);
  for (const part of filled) checkFit(part);
  checkAgreement(filled, path);
  model.inject(adapter, 0);
  for (const { places, tensors } of filled)
    for (const { parameter, key, shape } of places) {
      const data = fromTorchLayout(tensors.get(key)!.data as Float32Array, shape);
      model.parameters.set(parameter, tensor(data, model.parameters.get(parameter).shape));
    }
  return model;
}

type Stored = ReadonlyMap<string, StoredTensor>;

/** One tensor of an adapter: the attribute that holds the ViT, the map that it changes, and its name in the ViT. */
interface Change {
  readonly holder: string;
  readonly site: NonNullable<ReturnType<typeof siteOfModule>>;
  readonly key: string;
  readonly stored: StoredTensor;
}

/** Parses the names of the tensors in PEFT's file. */
function parts(file: Stored, path: string): { readonly changes: readonly Change[]; readonly head: Stored } {
  const changes: Change[] = [];
  const head = new Map<string, StoredTensor>();
  for (const [key, stored] of withoutCounts(file)) {
    const name = key.startsWith(PEFT_PREFIX) ? key.slice(PEFT_PREFIX.length) : key;
    if (/(^|\.)(classifier|pooler\.dense)\./.test(name)) continue;
    if (name.startsWith('head.')) head.set(name.slice('head.'.length), stored);
    else changes.push({ ...changeOf(name, path), stored });
  }
  const holders = [...new Set(changes.map(({ holder }) => `"${holder}"`))];
  if (holders.length > 1)
    throw new UserError(
      `${path}: expected an adapter of one ViT, got tensors of ${oneLine(holders.join(' and '))}`,
      {
        path,
      },
    );
  if (changes.length === 0) throw new UserError(`${path}: expected an adapter's tensors, got none`, { path });
  return { changes, head };
}

/** BatchNorm's batch counter, which changes nothing here. */
function withoutCounts(tensors: Stored): Stored {
  return new Map([...tensors].filter(([name]) => !/(^|\.)num_batches_tracked$/.test(name)));
}

function changeOf(name: string, path: string): Omit<Change, 'stored'> {
  const words = name.split('.');
  for (let end = words.length; end > 0; end--)
    for (let start = 0; start < end; start++) {
      const site = siteOfModule(words.slice(start, end).join('.'));
      if (site) return { holder: words.slice(0, start).join('.'), site, key: words.slice(start).join('.') };
    }
  throw new UserError(
    `${path}: expected tensors of a ViT's linear maps, got ${oneLine(name)}; the adapter is of another kind of model`,
    { path },
  );
}

/** The targets and blocks that the tensors change. */
function placesOf(changes: readonly Change[], count: number): AdapterOptions {
  const layers = [...new Set(changes.map(({ site }) => site.layer))].toSorted((a, b) => a - b);
  const targets = TARGETS.filter((target) => changes.some(({ site }) => site.target === target));
  return { targets, ...(layers.length < count && { layers }) };
}

function checkFit({
  path,
  places,
  tensors,
}: {
  path: string;
  places: readonly TorchPlace[];
  tensors: Stored;
}): void {
  const fail = (got: string) => {
    throw new UserError(
      `${path}: expected the tensors of an adapter and head that fit this model, got ${oneLine(got)}; build the model as it was trained`,
      { path },
    );
  };
  for (const { key, shape } of places) {
    const stored = tensors.get(key);
    if (!stored) fail(`none named ${key}`);
    else if (stored.shape.join() !== shape.join())
      fail(`${key} of shape [${stored.shape.join(', ')}] for [${shape.join(', ')}]`);
  }
  const keys = new Set(places.map(({ key }) => key));
  const surplus = [...tensors.keys()].find((key) => !keys.has(key));
  if (surplus !== undefined) fail(`one named ${surplus}`);
}

/** Checks that a file with the names of both versions of transformers has the same numbers under both. */
function checkAgreement(
  parts: readonly { readonly places: readonly TorchPlace[]; readonly tensors: Stored }[],
  path: string,
): void {
  const first = new Map<string, { readonly key: string; readonly stored: StoredTensor }>();
  for (const { places, tensors } of parts)
    for (const { parameter, key } of places) {
      const stored = tensors.get(key)!;
      const other = first.get(parameter);
      if (other && !stored.data.every((value, i) => Object.is(value, other.stored.data[i])))
        throw new UserError(
          `${path}: expected one adapter, got other numbers in ${key} than in ${other.key}`,
          { path },
        );
      first.set(parameter, { key, stored });
    }
}
