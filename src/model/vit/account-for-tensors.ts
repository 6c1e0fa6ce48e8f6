import { UserError } from '../../base/errors.js';
import { oneLine } from '../../base/printable.js';
import { backboneShapes } from './backbone-shapes.js';
import { checkHeads, type VitConfig } from './config.js';
import type { NamedWeights } from './names.js';
import { countBlocks } from './sizes.js';

/** A text model and what joins it to an encoder of pictures. */
const TEXT_TOWER = /^(text_model|text_projection|visual_projection)\.|^logit_(scale|bias)$/;

/** What the encoder is without, and a user may look for. */
const LEFT_OUT: readonly (readonly [RegExp, string])[] = [
  [TEXT_TOWER, 'the text model'],
  [/^decoder[._]/, 'the decoder'],
  [/^(attn_pool\.|head\.(probe$|attention\.))/, 'the attention pooling head'],
];

/** The parts of a checkpoint that are not read, in words. */
export function leftOut(weights: NamedWeights): string[] {
  return LEFT_OUT.flatMap(([pattern, words]) =>
    [...weights.keys()].some((name) => pattern.test(name)) ? [words] : [],
  );
}

/**
 * Tensors that a checkpoint may hold beside its encoder: heads and their poolers, decoders, and state that does not
 * affect tokens.
 */
const DROPPABLE: readonly RegExp[] = [
  /^(classifier|head|head_dist|cls_classifier|distillation_classifier|fc|pooler|pre_logits|attn_pool)\./,
  /^decoder[._]/,
  TEXT_TOWER,
  /(^|[._])mask_token$/,
  /\.num_batches_tracked$/,
  /(^|\.)position_ids$/,
];

/** Tensors of ViTs that compute something else, with a description. */
const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [/lora_|gralora_|\.base_layer\./, 'of an adapter (read it with loadPeft)'],
  [/(^|\.)(lambda_?[12]|gamma_?[12]|ls[12]\.\w+|layer_?scale_?[12]?(\.\w+)?|scale[12])$/, 'of LayerScale'],
  [/(q_norm|k_norm|query_norm|key_norm|q_layernorm|k_layernorm|norm_q|norm_k)\./, 'of query and key norms'],
  [/reg(ister)?_tokens?$/, 'of register tokens'],
  [/^distillation$|dist(illation)?_token$/, 'of distillation (a second token)'],
  [/rel_pos|relative_position/, 'of relative positions'],
  [/rope|rotary|freqs/, 'of rotary positions'],
  [/fc_norm\./, 'of a norm after pooling, in place of the last one (global_pool avg)'],
  [/patch_embed\.backbone|\.stem\./, 'of a convolutional stem'],
  [
    /\.(SCB|qweight|qzeros|scales|absmax|quant_map|weight_scale(_inv)?|zero_point)$|quant_state/,
    'of quantised weights',
  ],
];

/** The tensors that the encoder reads. */
const PLAIN =
  /^(cls|positions|registers|(patch|prenorm|norm|layers\.\d+\.(norm1|norm2|query|key|value|output|gate|fc1|fc2))\.(weight|bias))$/;

/**
 * Refuses a checkpoint with tensors that the encoder does not read and that are no part of a head: a plain ViT that
 * passed them over would make every token wrong in silence.
 *
 * @throws UserError naming the file, what the tensors are, and how many.
 */
export function refuseForeignTensors(path: string, weights: NamedWeights): void {
  const foreignNames = [...weights.keys()].filter(
    (name) => !PLAIN.test(name) && !DROPPABLE.some((pattern) => pattern.test(name)),
  );
  if (foreignNames.length > 0)
    throw new UserError(
      `${path}: expected the tensors of a ViT, got ${describe(foreignNames)}; its tokens would be wrong without them: use a model that has none`,
      { path, name: foreignNames[0]! },
    );
}

/**
 * Checks that a checkpoint's tensors are those of a plain ViT of this shape: no extra or missing ones, and none of
 * another shape or of integers.
 *
 * @throws UserError naming the file and the tensor.
 */
export function accountForTensors(path: string, config: VitConfig, weights: NamedWeights): void {
  refuseForeignTensors(path, weights);
  checkHeads(config);
  const fail = (text: string, name: string) => {
    throw new UserError(`${path}: ${text}`, { path, name });
  };
  // First, since there are as many shapes as config.json says.
  const blocks = countBlocks(weights.keys());
  if (config.num_hidden_layers !== blocks)
    fail(
      `expected ${config.num_hidden_layers} blocks, the num_hidden_layers of config.json, got tensors of ${blocks}`,
      'num_hidden_layers',
    );
  const shapes = backboneShapes(config);
  const surplus = [...weights.keys()].find((name) => PLAIN.test(name) && !shapes.has(name));
  if (surplus !== undefined)
    fail(
      `expected no ${surplus}, as config.json says (model_type), got one; config.json is another model's, or is missing`,
      surplus,
    );
  for (const [name, shape] of shapes) {
    const stored = weights.get(name);
    if (!stored) fail(`expected ${name} of a ViT, got no such tensor${hint(name)}`, name);
    else if (stored.shape.join() !== shape.join())
      fail(`expected ${name} of shape [${shape.join(', ')}], got [${stored.shape.join(', ')}]`, name);
    else if (!(stored.data instanceof Float32Array))
      fail(`expected ${name} in floats, got ${stored.dtype}; save the model without quantising it`, name);
  }
}

function hint(name: string): string {
  if (name === 'cls')
    return '; of a model without a class token config.json must say so (model_type siglip_vision_model)';
  if (/\.(query|key|value)\.bias$/.test(name))
    return '; where the model has no such biases, config.json must say "qkv_bias": false';
  return '';
}

/** Names by what they are, with their number: `24 of LayerScale (layers.0.ls1.gamma, …)`. */
function describe(names: readonly string[]): string {
  const kinds = new Map<string, string[]>();
  for (const name of names) {
    const kind = FOREIGN.find(([pattern]) => pattern.test(name))?.[1] ?? 'that it does not have';
    kinds.set(kind, [...(kinds.get(kind) ?? []), name]);
  }
  const parts = [...kinds].map(
    ([kind, [first, ...others]]) =>
      `${1 + others.length} ${kind} (${oneLine(first!)}${others.length > 0 ? ', …' : ''})`,
  );
  return parts.length > 4
    ? [...parts.slice(0, 4), `${parts.length - 4} kinds more`].join(', ')
    : parts.join(', ');
}
