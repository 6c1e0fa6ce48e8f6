import { UserError } from '../../base/errors.js';
import { oneLine } from '../../base/printable.js';
import { tensor } from '../../base/tfjs-core.js';
import type { Json } from '../../files/json-file.js';
import type { StoredTensor } from '../../files/safetensors-format.js';
import type { Adapter } from '../../model/adapter.js';
import type { AdaptableVit } from '../../model/vit/adaptable-vit.js';
import { siteName } from '../../model/vit/adapter-sites.js';
import type { InjectOptions } from '../../model/vit/held-adapter.js';
import { allModuleNames, type ModuleNames, moduleName } from '../../model/vit/module-names.js';
import { parsePeftConfig } from '../peft-config.js';
import { hiraFromPeft } from './hira-from-peft.js';
import { localizedLoraFromPeft } from './localized-lora-from-peft.js';
import { loraFromPeft } from './lora-from-peft.js';
import { missFromPeft } from './miss-from-peft.js';
import { adapterPlaces, fromPlace, type PeftPlace } from './peft-places.js';
import {
  type Change,
  modulesOf,
  type PeftParts,
  peftParts,
  placesOf,
  type Stored,
  withoutCounts,
} from './peft-tensors.js';
import { shiraFromPeft } from './shira-from-peft.js';

/** The adapters that can be read, by PEFT's `peft_type`. */
const READERS = {
  LORA: loraFromPeft,
  GRALORA: localizedLoraFromPeft,
  HIRA: hiraFromPeft,
  MISS: missFromPeft,
  SHIRA: shiraFromPeft,
};

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

/** Puts an adapter, and its head if there is one, into a model that has none of its name; see `loadPeft`. */
export async function putPeft<M extends AdaptableVit>(
  model: M,
  contents: PeftContents,
  options?: InjectOptions,
): Promise<M> {
  const adapterOf = parsePeftConfig(contents.config.path, contents.config.json, READERS);
  const { path, tensors } = await contents.weights();
  const names = allModuleNames(model.config);
  const parts = peftParts(tensors, path, model.headModule, names);
  const given = await contents.head();
  const adapter = adapterOf(placesOf(parts, model.config.num_hidden_layers), modulesOf(parts, names));
  const filled = [
    ...filledBy(model, adapter, parts, path, names),
    {
      path: given?.path ?? path,
      places: model.headPlaces().map((place) => ({ ...place, transposed: true })),
      tensors: given ? withoutCounts(given.tensors) : headOf(parts, adapter),
    },
  ].filter((part) => part.tensors.size > 0);
  for (const part of filled) checkFit(part);
  checkAgreement(filled, path);
  model.inject(adapter, 0, options);
  for (const { places, tensors } of filled)
    for (const place of places) {
      const data = fromPlace(tensors.get(place.key)!.data, place);
      const { shape, dtype } = model.parameters.get(place.parameter);
      model.parameters.set(place.parameter, tensor(data, shape, dtype as 'float32'));
    }
  return model;
}

interface Filled {
  readonly path: string;
  readonly places: readonly PeftPlace[];
  readonly tensors: Stored;
}

/** The places of an adapter and the tensors for them, for each version of names in the file, and the biases. */
function filledBy(
  model: AdaptableVit,
  adapter: Adapter,
  { changes, biases }: PeftParts,
  path: string,
  all: readonly ModuleNames[],
): Filled[] {
  const own = byNames(changes, all).map(([names, some]) => ({
    path,
    places: adapterPlaces(model, adapter, names).filter((place) => place.own),
    tensors: new Map(some.map(({ key, stored }) => [key, stored])),
  }));
  // PEFT saves all biases or, of some versions, none although they trained: those that are there count.
  const bias = adapterPlaces(model, adapter, changes[0]!.site.names)
    .filter((place) => !place.own && biases.has(place.parameter))
    .map((place) => ({ ...place, key: place.parameter }));
  return [...own, { path, places: bias, tensors: biases }];
}

/** The tensors by the names that they have: each group changes all maps, or is what no such group has. */
function byNames(
  changes: readonly Change[],
  all: readonly ModuleNames[],
): readonly (readonly [ModuleNames, readonly Change[]])[] {
  const sitesIn = (some: readonly Change[]) => new Set(some.map(({ site }) => siteName(site))).size;
  const rest = new Set(changes);
  const groups: [ModuleNames, readonly Change[]][] = [];
  for (const names of all) {
    const some = changes.filter(({ key, site }) => key.startsWith(`${moduleName(site, names)}.`));
    if (sitesIn(some) < sitesIn(changes) || some.every((change) => !rest.has(change))) continue;
    for (const change of some) rest.delete(change);
    groups.push([names, some]);
  }
  return rest.size > 0 ? [...groups, [[...rest][0]!.site.names, [...rest]]] : groups;
}

/** The head in PEFT's file; of `bias: all` there may be its biases alone, which PEFT did not train as a module. */
function headOf({ head }: PeftParts, adapter: Adapter): Stored {
  const onlyBiases = [...head.keys()].every((name) => /(^|\.)bias$/.test(name));
  return onlyBiases && adapter.trains ? new Map<string, StoredTensor>() : head;
}

function checkFit({ path, places, tensors }: Filled): void {
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
function checkAgreement(parts: readonly Filled[], path: string): void {
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
