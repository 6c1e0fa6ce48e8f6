import type { StoredTensor } from '../files/safetensors.js';
import { TARGETS, type Target } from './targets.js';

/** What a backbone's tensors are called here, whichever library wrote them; layouts are still PyTorch's. */
export type NamedWeights = Map<string, StoredTensor>;

const HUGGING_FACE: readonly (readonly [RegExp, string])[] = [
  [/^vit\./, ''],
  [/^embeddings\.cls_token$/, 'cls'],
  [/^embeddings\.position_embeddings$/, 'positions'],
  [/^embeddings\.patch_embeddings\.projection\./, 'patch.'],
  [/^encoder\.layer\./, 'layers.'],
  [/^encoder\.layers\./, 'layers.'],
  [/\.attention\.attention\.(query|key|value)\./, '.$1.'],
  [/\.attention\.q_proj\./, '.query.'],
  [/\.attention\.k_proj\./, '.key.'],
  [/\.attention\.v_proj\./, '.value.'],
  [/\.attention\.(output\.dense|o_proj)\./, '.output.'],
  [/^(layers\.\d+)\.(intermediate\.dense|mlp\.fc1)\./, '$1.fc1.'],
  [/^(layers\.\d+)\.(output\.dense|mlp\.fc2)\./, '$1.fc2.'],
  [/\.layernorm_before\./, '.norm1.'],
  [/\.layernorm_after\./, '.norm2.'],
  [/^layernorm\./, 'norm.'],
];

const TIMM: readonly (readonly [RegExp, string])[] = [
  [/^cls_token$/, 'cls'],
  [/^pos_embed$/, 'positions'],
  [/^patch_embed\.proj\./, 'patch.'],
  [/^blocks\./, 'layers.'],
  [/\.attn\.qkv\./, '.qkv.'],
  [/\.attn\.proj\./, '.output.'],
  [/\.mlp\.(fc[12])\./, '.$1.'],
  [/^head\./, 'classifier.'],
];

/**
 * Renames a checkpoint's tensors from the spelling of transformers (old or new) or of timm, DeiT and DINO, whose
 * fused qkv rows are taken apart.
 */
export function canonicalNames(tensors: ReadonlyMap<string, StoredTensor>): NamedWeights {
  const rules = tensors.has('cls_token') ? TIMM : HUGGING_FACE;
  const weights: NamedWeights = new Map();
  for (const [name, tensor] of tensors) {
    const renamed = rules.reduce((text, [pattern, to]) => text.replace(pattern, to), name);
    const [first, last] = renamed.split('.qkv.');
    if (last === undefined) {
      weights.set(renamed, tensor);
      continue;
    }
    const rows = tensor.shape[0]! / 3;
    const size = tensor.data.length / 3;
    ['query', 'key', 'value'].forEach((part, i) => {
      const data = tensor.data.slice(i * size, (i + 1) * size);
      weights.set(`${first}.${part}.${last}`, { ...tensor, shape: [rows, ...tensor.shape.slice(1)], data });
    });
  }
  return weights;
}

/** How transformers names the modules of its ViTModel: before version 5, and since. */
export type Spelling = 4 | 5;

const MODULES: Readonly<Record<Spelling, Readonly<Record<'blocks' | Target, string>>>> = {
  4: {
    blocks: 'encoder.layer',
    query: 'attention.attention.query',
    key: 'attention.attention.key',
    value: 'attention.attention.value',
    output: 'attention.output.dense',
    fc1: 'intermediate.dense',
    fc2: 'output.dense',
  },
  5: {
    blocks: 'layers',
    query: 'attention.q_proj',
    key: 'attention.k_proj',
    value: 'attention.v_proj',
    output: 'attention.o_proj',
    fc1: 'mlp.fc1',
    fc2: 'mlp.fc2',
  },
};

/** The module of transformers' ViTModel that is the linear map `target` of a block. */
export function moduleName(layer: number, target: Target, spelling: Spelling): string {
  return `${MODULES[spelling].blocks}.${layer}.${MODULES[spelling][target]}`;
}

/** The inverse of `moduleName`; undefined for any other module. */
export function siteOfModule(
  name: string,
): { readonly layer: number; readonly target: Target; readonly spelling: Spelling } | undefined {
  const [, layer] = /\.(\d+)\./.exec(name) ?? [];
  for (const spelling of [4, 5] as const)
    for (const target of TARGETS)
      if (layer && name === moduleName(Number(layer), target, spelling))
        return { layer: Number(layer), target, spelling };
  return undefined;
}
