import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
import { tidy } from '../../base/tfjs-core.js';
import { safetensorsBytes } from '../../files/safetensors-format.js';
import type { Adapter, Site } from '../../model/adapter.js';
import type { AdaptableVit } from '../../model/vit/adaptable-vit.js';
import type { VitConfig } from '../../model/vit/config.js';
import type { HeldAdapter } from '../../model/vit/held-adapter.js';
import {
  type ModuleNames,
  moduleName,
  moduleNames,
  parameterName,
  type Spelling,
} from '../../model/vit/module-names.js';
import { adapterPlaces, toPlace } from './peft-places.js';

/** PEFT's names of an adapter's files, and our own file, which PEFT ignores. */
export const PEFT_FILES = {
  config: 'adapter_config.json',
  weights: 'adapter_model.safetensors',
  head: 'head.safetensors',
} as const;

/** The prefix of every key of adapter_model.safetensors. */
export const PEFT_PREFIX = 'base_model.model.';

/** Options of `savePeft`. */
export interface SavePeftOptions {
  /** The attribute of the Python model that is the encoder; '' if the model itself is one. Default `vit`. */
  readonly attribute?: string;
  /**
   * The version of transformers whose module names are written, those of the encoder's class: 4, 5, or both (default). PEFT
   * loads those that the model has and passes the others over, so an adapter under both takes twice the room and fits either.
   */
  readonly transformers?: Spelling | 'both';
  /**
   * Where the head goes. `file` (default): to head.safetensors, which PEFT passes over, so that any ViT of transformers
   * takes the adapter. `module`: into PEFT's own file (`modules_to_save`), for a Python model that has it as the attribute
   * `classifier`, as ViTForImageClassification has, or `head`, for a segmenter.
   */
  readonly head?: 'file' | 'module';
  /** The base model in PEFT's config: a hub id or a folder. Default: nothing. */
  readonly baseModel?: string;
  /** The name of the adapter to save. Default: the active one. */
  readonly adapter?: string;
}

/**
 * The files of a model's adapter and head by name; see `savePeft`.
 *
 * @throws UserError, naming the folder, where there is no adapter or PEFT has none such.
 */
export async function peftFiles(
  model: AdaptableVit,
  folder: string,
  options: SavePeftOptions = {},
): Promise<Record<string, Uint8Array | string>> {
  const { attribute = 'vit', transformers = 'both', head = 'file', baseModel = null } = options;
  const name = options.adapter ?? model.activeAdapter;
  if (name === undefined)
    throw new UserError(`${folder}: expected a model with an adapter to save, got one without; inject one`);
  const held = model.heldAdapter(name);
  const versions = versionsOf(model, held, transformers);
  const before = PEFT_PREFIX + (attribute && `${attribute}.`);
  const written = versions.flatMap((names) => adapterTensors(model, held, names));
  const heads = model.headPlaces().map((place) => ({
    ...place,
    transposed: true,
    value: model.parameters.get(place.parameter),
  }));
  const { headModule } = model;
  const weights = [
    ...written.map((place) => ({ ...place, key: before + place.key })),
    ...(head === 'module'
      ? heads.map((place) => ({ ...place, key: `${PEFT_PREFIX}${headModule}.${place.key}` }))
      : []),
  ];
  const sites = model.sitesOf(held.adapter);
  const config = {
    base_model_name_or_path: baseModel,
    inference_mode: true,
    modules_to_save: head === 'module' ? [headModule] : null,
    ...held.adapter.peft!.config,
    ...patternsOf(held.adapter, sites, versions),
    target_modules: [...new Set(versions.flatMap((names) => sites.map((site) => moduleName(site, names))))],
    task_type: null,
  };
  return {
    [PEFT_FILES.weights]: await bytesOf(weights),
    ...(head === 'file' && { [PEFT_FILES.head]: await bytesOf(heads) }),
    [PEFT_FILES.config]: `${JSON.stringify(config, null, 2)}\n`,
  };
}

interface Written {
  readonly key: string;
  readonly shape: readonly number[];
  readonly transposed: boolean;
  readonly value: Tensor;
  /** Whether to free the value. */
  readonly made?: boolean;
}

/** The names to write: of both versions, those by which all that the adapter trains is a module of its own. */
function versionsOf(model: AdaptableVit, { adapter }: HeldAdapter, asked: Spelling | 'both'): ModuleNames[] {
  const { 4: before, 5: since } = moduleNames(model.config);
  if (asked !== 'both') return [asked === 4 ? before : since];
  const trained = [...model.parameters].filter(({ name, adopted }) => adopted && adapter.trains?.(name));
  const isWhole =
    model.sitesOf(adapter).every((site) => moduleName(site, before)) &&
    trained.every(({ name }) => parameterName(name, before));
  return isWhole ? [before, since] : [since];
}

/** The tensors of an adapter, as PEFT has them. */
function adapterTensors(model: AdaptableVit, held: HeldAdapter, names: ModuleNames): Written[] {
  const { tensors } = held.adapter.peft ?? {};
  return adapterPlaces(model, held.adapter, names).map((place) => {
    const { own, parameter, transposed } = place;
    if (!own && isAbsent(parameter, model.config))
      throw new UserError(
        `${held.adapter.name}: expected biases that the encoder's class in transformers has, got a trained ${parameter}; train it with --bias none or lora_only, or merge() it and export it as ONNX`,
        { parameter },
      );
    if (!own) return { ...place, value: held.adopted(parameter) };
    const value = tidy(() =>
      tensors ? tensors(held.own(own.site))[own.part]! : held.own(own.site)(own.part),
    );
    return {
      ...place,
      value,
      shape: transposed ? value.shape.toReversed() : value.shape,
      made: tensors !== undefined,
    };
  });
}

/** Whether a bias is zero and no parameter in transformers: CLIP's of patches, DINOv3's of keys. */
function isAbsent(parameter: string, { pre_norm, rope_theta }: VitConfig): boolean {
  return Boolean((pre_norm && parameter === 'patch.bias') || (rope_theta && parameter.endsWith('.key.bias')));
}

/** Settings that differ from map to map, under the names of their modules. */
function patternsOf(
  { peft }: Adapter,
  sites: readonly Site[],
  versions: readonly ModuleNames[],
): Readonly<Record<string, Readonly<Record<string, number>>>> {
  const patterns: Record<string, Record<string, number>> = {};
  for (const names of versions)
    for (const site of sites)
      for (const [field, { value, usual }] of Object.entries(peft?.patterns?.(site) ?? {})) {
        patterns[field] ??= {};
        if (value !== usual) patterns[field][moduleName(site, names)!] = value;
      }
  return patterns;
}

async function bytesOf(places: readonly Written[]): Promise<Uint8Array> {
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array | Int32Array }>();
  for (const place of places) {
    const { key, shape, value, made } = place;
    const data = (await value.data()) as Float32Array | Int32Array;
    tensors.set(key, { shape, data: toPlace(data, place) });
    if (made) value.dispose();
    // PEFT asks for all of a module's state; with PyTorch's usual momentum the count moves nothing.
    if (key.startsWith(PEFT_PREFIX) && key.endsWith('.running_mean'))
      tensors.set(key.replace(/running_mean$/, 'num_batches_tracked'), {
        shape: [],
        data: new Int32Array(1),
      });
  }
  // transformers and PEFT look for this entry.
  return safetensorsBytes(tensors, { format: 'pt' });
}
