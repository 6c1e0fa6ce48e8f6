import type { StoredTensor } from '../files/safetensors.js';

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
