import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { tensor } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { UserError } from '../errors.js';
import { readSafetensors, type StoredTensor } from '../files/safetensors.js';
import { fromTorchLayout } from '../vit/layout.js';
import { siteOfModule } from '../vit/names.js';
import type { Segmenter } from '../vit/segmenter.js';
import { TARGETS } from '../vit/targets.js';
import type { Adapter, AdapterOptions } from './adapter.js';
import { localizedLoraFromPeft } from './localized-lora.js';
import { loraFromPeft } from './lora.js';
import { adapterPlaces, headPlaces, type Place } from './peft-places.js';
import { PEFT_FILES, PEFT_PREFIX } from './save-peft.js';

/** The adapters that we read, by PEFT's `peft_type`. */
const READERS: Readonly<Record<string, (config: unknown, where: AdapterOptions) => Adapter>> = {
  LORA: loraFromPeft,
  GRALORA: localizedLoraFromPeft,
};

const shared = z.object({
  peft_type: z.enum(Object.keys(READERS)),
  bias: z.literal('none', { error: 'expected none, an adapter that trains no bias' }).default('none'),
});

/**
 * Puts an adapter that PEFT or `savePeft` wrote into a model without one, and the head where the folder has one.
 *
 * Which maps it changes is read off its tensors, by the names of either spelling of transformers, with or without
 * `vit.` before them. A `classifier` among them is left out: a segmenter has a head of its own.
 *
 * @throws UserError naming the file, for what is missing, foreign, or does not fit; the model is then unchanged.
 * @example
 * const model = await loadPeft(await loadSegmenter('google/vit-base-patch16-224', { classes: 3, seed: 42 }), 'adapters/pets');
 */
export async function loadPeft(model: Segmenter, folder: string): Promise<Segmenter> {
  const adapterOf = await readConfig(join(folder, PEFT_FILES.config));
  const path = join(folder, PEFT_FILES.weights);
  const { adapter: tensors, head } = parts((await readSafetensors(path)).tensors);
  const headPath = join(folder, PEFT_FILES.head);
  const headFile = (await stat(headPath).catch(() => undefined)) && (await readSafetensors(headPath)).tensors;

  const { spelling, ...where } = sitesIn(tensors, path, model.config.num_hidden_layers);
  const adapter = adapterOf(where);
  const filled = [
    { path, places: adapterPlaces(model, adapter, spelling), tensors },
    { path: headFile ? headPath : path, places: headPlaces(model), tensors: headFile ?? head },
  ].filter((part) => part.tensors.size > 0);
  for (const part of filled) checkFit(part);
  model.inject(adapter, 0);
  for (const { places, tensors } of filled)
    for (const { parameter, key, shape } of places) {
      const data = fromTorchLayout(tensors.get(key)!.data as Float32Array, shape);
      model.parameters.set(parameter, tensor(data, model.parameters.get(parameter).shape));
    }
  return model;
}

/** What makes the adapter of a config file. */
async function readConfig(path: string): Promise<(where: AdapterOptions) => Adapter> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const got = cause.code === 'ENOENT' ? 'nothing there' : cause.message;
    throw new UserError(
      `${path}: expected an adapter that PEFT saved, got ${got}; a named adapter lies in a folder of its name`,
      { path },
      { cause },
    );
  });
  const parsing = <T>(parse: () => T): T => {
    try {
      return parse();
    } catch (cause) {
      const issue = cause instanceof z.ZodError ? cause.issues[0] : undefined;
      if (issue)
        throw new UserError(`${path}: ${issue.path.join('.')}: ${issue.message}`, { path }, { cause });
      if (cause instanceof SyntaxError)
        throw new UserError(`${path}: expected JSON, got ${cause.message}`, { path }, { cause });
      throw cause;
    }
  };
  const config: unknown = parsing(() => JSON.parse(text));
  const { peft_type: type } = parsing(() => shared.parse(config));
  return (where) => parsing(() => READERS[type]!(config, where));
}

type Stored = ReadonlyMap<string, StoredTensor>;

/** Takes the tensors of PEFT's file apart, and the prefixes off their names. */
function parts(file: Stored): { readonly adapter: Stored; readonly head: Stored } {
  const [adapter, head] = [new Map<string, StoredTensor>(), new Map<string, StoredTensor>()];
  for (const [key, stored] of file) {
    const name = key.startsWith(PEFT_PREFIX) ? key.slice(PEFT_PREFIX.length) : key;
    if (name.startsWith('classifier.') || name.endsWith('.num_batches_tracked')) continue;
    if (name.startsWith('head.')) head.set(name.slice('head.'.length), stored);
    else adapter.set(name.replace(/^vit\./, ''), stored);
  }
  return { adapter, head };
}

/** The targets and blocks that tensors are named after. */
function sitesIn(tensors: Stored, path: string, count: number) {
  const sites = [...tensors.keys()].map((name) => {
    const words = name.split('.');
    for (let end = words.length; end > 0; end--) {
      const site = siteOfModule(words.slice(0, end).join('.'));
      if (site) return site;
    }
    throw new UserError(
      `${path}: expected tensors of a ViT's linear maps, got ${name}; the adapter is of another kind of model`,
      { path },
    );
  });
  if (sites.length === 0) throw new UserError(`${path}: expected an adapter's tensors, got none`, { path });
  const layers = [...new Set(sites.map(({ layer }) => layer))].toSorted((a, b) => a - b);
  const targets = TARGETS.filter((target) => sites.some((site) => site.target === target));
  return { spelling: sites[0]!.spelling, targets, ...(layers.length < count && { layers }) };
}

function checkFit({
  path,
  places,
  tensors,
}: {
  path: string;
  places: readonly Place[];
  tensors: Stored;
}): void {
  const fail = (got: string) => {
    throw new UserError(
      `${path}: expected the tensors of an adapter and head that fit this model, got ${got}; build the model as it was trained`,
      { path },
    );
  };
  for (const { key, shape } of places) {
    const stored = tensors.get(key);
    if (!stored) fail(`none named ${key}`);
    else if (stored.shape.join() !== shape.join())
      fail(`${key} of shape [${stored.shape.join(', ')}] for [${shape.join(', ')}]`);
  }
  const known = new Set(places.map(({ key }) => key));
  const surplus = [...tensors.keys()].find((key) => !known.has(key));
  if (surplus !== undefined) fail(`one named ${surplus}`);
}
