import { UserError } from '../../base/errors.js';
import { oneLine } from '../../base/printable.js';
import type { StoredTensor } from '../../files/safetensors-format.js';

/** A backbone's tensors by the names used here, whichever library wrote them. Layouts stay PyTorch's. */
export type NamedWeights = Map<string, StoredTensor>;

/** The attributes of models that hold a ViT, in any order, which prefix the names of its tensors. */
const HOLDERS =
  /^(?:(?:module|_orig_mod|model|timm_model|backbone|vit|deit|dinov2|dinov2_with_registers|vision_model)\.)+/;

const HUGGING_FACE: readonly (readonly [RegExp, string])[] = [
  [/^embeddings\.(cls_token|class_embedding)$/, 'cls'],
  [/^embeddings\.(position_embeddings|position_embedding\.weight)$/, 'positions'],
  [/^embeddings\.patch_embeddings?\.(projection\.)?/, 'patch.'],
  [/^(encoder\.)?layers?\./, 'layers.'],
  [/\.attention\.attention\.(query|key|value)\./, '.$1.'],
  [/\.(attention|self_attn)\.q_proj\./, '.query.'],
  [/\.(attention|self_attn)\.k_proj\./, '.key.'],
  [/\.(attention|self_attn)\.v_proj\./, '.value.'],
  [/\.(attention\.(output\.dense|o_proj)|self_attn\.out_proj)\./, '.output.'],
  [/^(layers\.\d+)\.(intermediate\.dense|mlp\.fc1)\./, '$1.fc1.'],
  [/^(layers\.\d+)\.(output\.dense|mlp\.fc2)\./, '$1.fc2.'],
  [/\.mlp\.gate_proj\./, '.gate.'],
  [/\.mlp\.(up_proj|weights_in)\./, '.fc1.'],
  [/\.mlp\.(down_proj|weights_out)\./, '.fc2.'],
  [/\.(layernorm_before|layer_norm1)\./, '.norm1.'],
  [/\.(layernorm_after|layer_norm2)\./, '.norm2.'],
  [/^pre_layrnorm\./, 'prenorm.'],
  [/^(layernorm|post_layernorm)\./, 'norm.'],
  [/^embeddings\.register_tokens$/, 'registers'],
  [/^embeddings\.distillation_token$/, 'distillation'],
  [/\.layer_scale([12])\.lambda1$/, '.scale$1'],
];

const TIMM: readonly (readonly [RegExp, string])[] = [
  [/^cls_token$/, 'cls'],
  [/^pos_embed$/, 'positions'],
  [/^patch_embed\.proj\./, 'patch.'],
  [/^blocks\./, 'layers.'],
  [/\.attn\.qkv\./, '.qkv.'],
  [/\.attn\.proj\./, '.output.'],
  [/\.attn\.q_bias$/, '.query.bias'],
  [/\.attn\.v_bias$/, '.value.bias'],
  [/\.mlp\.(fc1_g|w1)\./, '.gate.'],
  [/\.mlp\.(fc1|fc1_x|w12|w2)\./, '.fc1.'],
  [/\.mlp\.(fc2|w3)\./, '.fc2.'],
  [/^norm_pre\./, 'prenorm.'],
  [/^head\./, 'classifier.'],
  [/^(reg_token|register_tokens)$/, 'registers'],
  [/^dist_token$/, 'distillation'],
  [/\.ls([12])\.gamma$/, '.scale$1'],
  [/\.gamma_([12])$/, '.scale$1'],
];

/** The library whose names a checkpoint uses. */
export function isTimm(names: Iterable<string>): boolean {
  return [...names].some((name) => /^(cls_token$|patch_embed\.|blocks\.)/.test(name.replace(HOLDERS, '')));
}

/**
 * Renames a checkpoint's tensors from the spelling of transformers (old or new) or of timm, DeiT and DINO, whose
 * fused qkv rows are split. What holds the ViT (`vit.`, `module.`, `vision_model.`) is taken off the names.
 *
 * Positions without a row for the class token (timm's `no_embed_class`) get one of zeros, which is the same function.
 *
 * @throws UserError where two tensors would have one name.
 */
export function canonicalNames(tensors: ReadonlyMap<string, StoredTensor>, path = 'weights'): NamedWeights {
  const rules = isTimm(tensors.keys()) ? TIMM : HUGGING_FACE;
  const weights: NamedWeights = new Map();
  const add = (name: string, from: string, tensor: StoredTensor) => {
    if (weights.has(name))
      throw new UserError(
        `${path}: expected one ViT, got two tensors that are its ${oneLine(name)} (the second is ${oneLine(from)}); save one model's alone`,
        { path, name },
      );
    weights.set(name, tensor);
  };
  for (const [name, tensor] of tensors) {
    const renamed = rules.reduce(
      (text, [pattern, to]) => text.replace(pattern, to),
      name.replace(HOLDERS, ''),
    );
    const [first, last] = renamed.split('.qkv.');
    if (last !== undefined && tensor.shape[0]! % 3 === 0)
      for (const [part, third] of thirds(tensor)) add(`${first}.${part}.${last}`, name, third);
    else add(renamed, name, asSequence(renamed, tensor));
  }
  const positions = weights.get('positions');
  if (rules === TIMM && positions && weights.has('cls')) weights.set('positions', withClassRow(positions));
  return weights;
}

/** Tokens as PyTorch's ViTs have them, [1, tokens, width]: those of CLIP have no such axes. */
function asSequence(name: string, tensor: StoredTensor): StoredTensor {
  const missing = name === 'cls' || name === 'positions' ? 3 - tensor.shape.length : 0;
  return missing > 0 ? { ...tensor, shape: [...Array<number>(missing).fill(1), ...tensor.shape] } : tensor;
}

/** The rows of query, key and value in a fused map. */
function thirds(tensor: StoredTensor): [string, StoredTensor][] {
  const shape = [tensor.shape[0]! / 3, ...tensor.shape.slice(1)];
  const size = tensor.data.length / 3;
  return ['query', 'key', 'value'].map((part, i) => [
    part,
    { ...tensor, shape, data: tensor.data.slice(i * size, (i + 1) * size) },
  ]);
}

function withClassRow(tensor: StoredTensor): StoredTensor {
  const [, rows = 0, width = 0] = tensor.shape;
  const isSquare = (count: number) => Number.isInteger(Math.sqrt(count));
  if (tensor.shape.length !== 3 || isSquare(rows - 1) || !isSquare(rows)) return tensor;
  const data = new Float32Array(tensor.data.length + width);
  data.set(tensor.data, width);
  return { ...tensor, shape: [1, rows + 1, width], data };
}
