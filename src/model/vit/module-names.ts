import { TARGETS } from '../targets.js';
import type { BlockMap, Place } from './adapter-sites.js';
import type { VitConfig } from './config.js';

/** The version of transformers whose module names are meant: before 5, and since. */
export type Spelling = 4 | 5;

/** What has a name in the encoders of transformers; a block's parts are named within it. */
type Part = 'blocks' | BlockMap | 'norm1' | 'norm2' | 'norm' | 'patch' | 'prenorm';

/** The names of modules in one of transformers' encoders. A part that is left out is none of its modules. */
export type ModuleNames = Readonly<Partial<Record<Part, string>>>;

const PATCH_AND_NORM = { norm: 'layernorm', patch: 'embeddings.patch_embeddings.projection' };
const NESTED = {
  query: 'attention.attention.query',
  key: 'attention.attention.key',
  value: 'attention.attention.value',
  output: 'attention.output.dense',
};
const PROJECTIONS = {
  query: 'attention.q_proj',
  key: 'attention.k_proj',
  value: 'attention.v_proj',
  output: 'attention.o_proj',
};
const PLAIN = { fc1: 'mlp.fc1', fc2: 'mlp.fc2' };
const GATED = { gate: 'mlp.gate_proj', fc1: 'mlp.up_proj', fc2: 'mlp.down_proj' };
const DINO_NORMS = { norm1: 'norm1', norm2: 'norm2' };
const DINOV2 = { blocks: 'encoder.layer', ...DINO_NORMS, ...PATCH_AND_NORM };
const DINOV3 = {
  ...PROJECTIONS,
  ...GATED,
  ...DINO_NORMS,
  norm: 'norm',
  patch: 'embeddings.patch_embeddings',
};
const TOWER = {
  query: 'self_attn.q_proj',
  key: 'self_attn.k_proj',
  value: 'self_attn.v_proj',
  output: 'self_attn.out_proj',
  ...PLAIN,
  norm1: 'layer_norm1',
  norm2: 'layer_norm2',
};
const VIT_NORMS = { norm1: 'layernorm_before', norm2: 'layernorm_after', ...PATCH_AND_NORM };
/** Before version 5 these encoders were inside another module. */
const INSIDE = 'vision_model.';

/** ViT, DeiT, ViT-MAE, ViT-MSN and I-JEPA; DINOv2, with registers or without; its gated MLPs; DINOv3; CLIP and SigLIP. */
const MODULES = {
  vit: {
    4: { blocks: 'encoder.layer', ...NESTED, fc1: 'intermediate.dense', fc2: 'output.dense', ...VIT_NORMS },
    5: { blocks: 'layers', ...PROJECTIONS, ...PLAIN, ...VIT_NORMS },
  },
  dinov2: { 4: { ...DINOV2, ...NESTED, ...PLAIN }, 5: { ...DINOV2, ...PROJECTIONS, ...PLAIN } },
  // Gate and first map were one module.
  gatedDinov2: {
    4: { ...DINOV2, ...NESTED, fc2: 'mlp.weights_out' },
    5: { ...DINOV2, ...PROJECTIONS, ...GATED },
  },
  dinov3: { 4: { blocks: 'layer', ...DINOV3 }, 5: { blocks: 'model.layer', ...DINOV3 } },
  tower: {
    4: {
      blocks: `${INSIDE}encoder.layers`,
      ...TOWER,
      norm: `${INSIDE}post_layernorm`,
      prenorm: `${INSIDE}pre_layrnorm`,
      patch: `${INSIDE}embeddings.patch_embedding`,
    },
    5: {
      blocks: 'encoder.layers',
      ...TOWER,
      norm: 'post_layernorm',
      prenorm: 'pre_layrnorm',
      patch: 'embeddings.patch_embedding',
    },
  },
} satisfies Readonly<Record<string, Readonly<Record<Spelling, ModuleNames>>>>;

/** The module names of an encoder's class in transformers, by version. */
export function moduleNames(config: VitConfig): Readonly<Record<Spelling, ModuleNames>> {
  if (config.module_names) return MODULES[config.module_names];
  if (config.rope_theta) return MODULES.dinov3;
  if (config.pre_norm || config.class_token === false) return MODULES.tower;
  if (config.use_gated_mlp) return MODULES.gatedDinov2;
  return config.num_register_tokens || config.folded_layer_scale ? MODULES.dinov2 : MODULES.vit;
}

/** All module names, those of this encoder first. */
export function allModuleNames(config: VitConfig): readonly ModuleNames[] {
  const own = moduleNames(config);
  return [own, ...Object.values(MODULES)].flatMap((family) => [family[4], family[5]]);
}

/** The module that is this linear map of a block; undefined where it is none of its own. */
export function moduleName({ layer, target }: Place, names: ModuleNames): string | undefined {
  return names[target] && `${names.blocks}.${layer}.${names[target]}`;
}

/** The name there of one of the backbone's parameters, such as `layers.0.norm1.bias`; undefined where it has none. */
export function parameterName(name: string, names: ModuleNames): string | undefined {
  const [, layer, part, kind] = /^(?:layers\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(name) ?? [];
  const module = names[part as Part];
  if (module === undefined) return undefined;
  return layer === undefined ? `${module}.${kind}` : `${names.blocks}.${layer}.${module}.${kind}`;
}

/** The inverse of `parameterName` for biases; undefined for any other name. */
export function biasOfModule(name: string, all: readonly ModuleNames[]): string | undefined {
  if (!name.endsWith('.bias')) return undefined;
  const module = name.slice(0, -'.bias'.length);
  for (const names of all) {
    const inside = within(module, names);
    const parts = (inside ? BLOCK_PARTS : OUTER_PARTS).filter(
      (part) => names[part] === (inside?.module ?? module),
    );
    if (parts.length > 0) return `${inside ? `layers.${inside.layer}.` : ''}${parts[0]}.bias`;
  }
  return undefined;
}

const OUTER_PARTS = ['norm', 'patch', 'prenorm'] as const;
const BLOCK_PARTS = [...TARGETS, 'gate', 'norm1', 'norm2'] as const;

/** A linear map by the name of its module. */
export interface NamedSite extends Place {
  /** The names that it is one of. */
  readonly names: ModuleNames;
}

/** The inverse of `moduleName`: the first of the names that have such a module; undefined for any other. */
export function siteOfModule(name: string, all: readonly ModuleNames[]): NamedSite | undefined {
  for (const names of all) {
    const inside = within(name, names);
    const target = inside && [...TARGETS, 'gate' as const].find((one) => names[one] === inside.module);
    if (target) return { layer: inside.layer, target, names };
  }
  return undefined;
}

/** The block of a module, and its name there. */
function within(name: string, { blocks }: ModuleNames): { layer: number; module: string } | undefined {
  if (!name.startsWith(`${blocks}.`)) return undefined;
  const [, layer, module] = /^(\d+)\.(.+)$/.exec(name.slice(blocks!.length + 1)) ?? [];
  return layer === undefined ? undefined : { layer: Number(layer), module: module! };
}
