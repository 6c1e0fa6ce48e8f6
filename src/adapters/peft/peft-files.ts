import { UserError } from '../../base/errors.js';
import { safetensorsBytes } from '../../files/safetensors-format.js';
import type { TorchPlace } from '../../model/torch-place.js';
import type { AdaptableVit } from '../../model/vit/adaptable-vit.js';
import { toTorchLayout } from '../../model/vit/layout.js';
import { moduleName, type Spelling } from '../../model/vit/names.js';
import { adapterPlaces } from './peft-places.js';

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
  /** The attribute of the Python model that is the ViTModel; '' if the model itself is one. Default `vit`. */
  readonly attribute?: string;
  /**
   * The version of transformers whose module names are written: 4, 5, or both (default). PEFT loads those that the model
   * has and passes the others over, so an adapter under both names takes twice the room and fits either version.
   */
  readonly transformers?: Spelling | 'both';
  /**
   * Where the head goes. `file` (default): to head.safetensors, which PEFT passes over, so that any ViT of transformers
   * takes the adapter. `module`: into PEFT's own file, for a Python model with an attribute `head` (`modules_to_save`).
   */
  readonly head?: 'file' | 'module';
  /** The base model in PEFT's config: a hub id or a folder. Default: nothing. */
  readonly baseModel?: string;
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
  const { adapter } = model;
  if (!adapter)
    throw new UserError(`${folder}: expected a model with an adapter to save, got one without; inject one`);
  const spellings = transformers === 'both' ? ([4, 5] as const) : [transformers];
  const places = spellings.flatMap((spelling) => adapterPlaces(model, adapter, spelling));

  const before = PEFT_PREFIX + (attribute && `${attribute}.`);
  const weights = places.map((place) => ({ ...place, key: before + place.key }));
  const heads = model.headPlaces();
  if (head === 'module')
    weights.push(...heads.map((place) => ({ ...place, key: `${PEFT_PREFIX}head.${place.key}` })));
  const config = {
    base_model_name_or_path: baseModel,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    modules_to_save: head === 'module' ? ['head'] : null,
    ...adapter.peft?.config,
    target_modules: spellings.flatMap((spelling) =>
      model.sitesOf(adapter).map(({ layer, target }) => moduleName(layer, target, spelling)),
    ),
    task_type: null,
  };
  return {
    [PEFT_FILES.weights]: await bytesOf(model, weights),
    ...(head === 'file' && { [PEFT_FILES.head]: await bytesOf(model, heads) }),
    [PEFT_FILES.config]: `${JSON.stringify(config, null, 2)}\n`,
  };
}

async function bytesOf({ parameters }: AdaptableVit, places: readonly TorchPlace[]): Promise<Uint8Array> {
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array | Int32Array }>();
  for (const { parameter, key, shape } of places) {
    const data = (await parameters.get(parameter).data()) as Float32Array;
    tensors.set(key, { shape, data: toTorchLayout(data, shape) });
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
