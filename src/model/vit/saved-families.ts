import { UserError } from '../../base/errors.js';
import type { Json } from '../../files/json-file.js';
import type { VitConfig } from './config.js';
import { gatedWidth } from './model-types.js';

/** A tensor as it is written. */
export interface WrittenTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** A family of transformers that encoders are written as. */
export interface SavedFamily {
  readonly type: string;
  /** The class of the encoder. */
  readonly encoder: string;
  /** Its class with a linear classifier, if that one classifies the tokens that ours does. */
  readonly classifier?: {
    readonly architecture: string;
    /** The attribute that holds the encoder. */
    readonly attribute: string;
    /** Whether the classifier reads the class token beside the mean of the patches. */
    readonly wide?: boolean;
    /** The config around the encoder's. Default: it is one. */
    readonly around?: (encoder: Json) => Json;
  };
  /** The names of its tensors, from ours: the inverse of `canonicalNames`. */
  readonly names: readonly (readonly [RegExp, string])[];
  /** Biases of ours that are left out where they are zero, and the key of config.json that says they are there. */
  readonly without?: { readonly pattern: RegExp; readonly key?: string };
  /** Tensors that it has beside ours. */
  readonly constants?: (config: VitConfig) => ReadonlyMap<string, WrittenTensor>;
  /** The keys of config.json beside `common`. */
  readonly fields: (config: VitConfig) => Json;
}

/** The keys of config.json that all families share. */
export function common(config: VitConfig): Json {
  const { hidden_size, num_hidden_layers, num_attention_heads, layer_norm_eps, image_size } = config;
  const { patch_size, hidden_act, num_channels } = config;
  return {
    hidden_size,
    num_hidden_layers,
    num_attention_heads,
    layer_norm_eps,
    image_size,
    patch_size,
    hidden_act,
    num_channels,
    dtype: 'float32',
  };
}

const DROPOUTS = { attention_probs_dropout_prob: 0, hidden_dropout_prob: 0, initializer_range: 0.02 };

const EMBEDDINGS: SavedFamily['names'] = [
  [/^cls$/, 'embeddings.cls_token'],
  [/^positions$/, 'embeddings.position_embeddings'],
  [/^registers$/, 'embeddings.register_tokens'],
  [/^patch\./, 'embeddings.patch_embeddings.projection.'],
  [/^norm\./, 'layernorm.'],
  [/^layers\./, 'encoder.layer.'],
  [/\.(query|key|value)\./, '.attention.attention.$1.'],
  [/\.output\./, '.attention.output.dense.'],
];

export const vit: SavedFamily = {
  type: 'vit',
  encoder: 'ViTModel',
  classifier: { architecture: 'ViTForImageClassification', attribute: 'vit' },
  names: [
    ...EMBEDDINGS,
    [/\.fc1\./, '.intermediate.dense.'],
    [/\.fc2\./, '.output.dense.'],
    [/\.norm1\./, '.layernorm_before.'],
    [/\.norm2\./, '.layernorm_after.'],
  ],
  fields: ({ intermediate_size, hidden_size }) => ({
    intermediate_size,
    qkv_bias: true,
    ...DROPOUTS,
    encoder_stride: 16,
    pooler_act: 'tanh',
    pooler_output_size: hidden_size,
  }),
};

const BACKBONE = {
  apply_layernorm: true,
  reshape_hidden_states: true,
  drop_path_rate: 0,
  layerscale_value: 1,
};

/** The stages of a backbone's features: the last one alone is given. */
function stages({ num_hidden_layers: count }: VitConfig): Json {
  const names = Array.from({ length: count }, (_, i) => `stage${i + 1}`);
  return { stage_names: ['stem', ...names], out_features: [`stage${count}`], out_indices: [count] };
}

const ones = (length: number) => ({ shape: [length], data: new Float32Array(length).fill(1) });

/** LayerScale of one, which is none, and the token of masked patches, which no picture has. */
function scalesAndMask(blocks: string, mask: readonly number[]) {
  return ({ hidden_size: width, num_hidden_layers: count }: VitConfig) =>
    new Map<string, WrittenTensor>([
      ['embeddings.mask_token', { shape: [...mask, width], data: new Float32Array(width) }],
      ...Array.from({ length: 2 * count }, (_, i): [string, WrittenTensor] => [
        `${blocks}.${Math.floor(i / 2)}.layer_scale${1 + (i % 2)}.lambda1`,
        ones(width),
      ]),
    ]);
}

/** DINOv2 has registers or none, and gated MLPs or plain ones; without either it is a plain ViT. */
function dinov2(type: string, name: string): SavedFamily {
  return {
    type,
    encoder: `${name}Model`,
    classifier: { architecture: `${name}ForImageClassification`, attribute: type, wide: true },
    names: [...EMBEDDINGS, [/\.(fc[12]|gate)\./, '.mlp.$1.']],
    constants: scalesAndMask('encoder.layer', [1]),
    fields: (config) => ({
      mlp_ratio: ratioOf(config),
      qkv_bias: true,
      ...DROPOUTS,
      ...BACKBONE,
      ...stages(config),
      use_swiglu_ffn: config.use_gated_mlp === true,
      // It is not read there: the gate's function is SiLU.
      ...(config.use_gated_mlp && { hidden_act: 'gelu' }),
      ...(type === 'dinov2' ? { use_mask_token: true } : { num_register_tokens: config.num_register_tokens }),
    }),
  };
}

/** The inner width of an MLP as DINOv2 states it. */
function ratioOf({
  hidden_size: width,
  intermediate_size: inner,
  use_gated_mlp: gated,
  hidden_act,
}: VitConfig): number {
  if (gated && hidden_act !== 'silu' && hidden_act !== 'swish')
    throw new UserError(
      `expected gates of SiLU, as transformers has with DINOv2, got ${hidden_act}; export it as ONNX`,
    );
  const near = Math.max(1, Math.round((gated ? 1.5 : 1) * (inner / width)));
  const ratio = [near, near - 1, near + 1].find(
    (one) => inner === (gated ? gatedWidth(width * one) : width * one),
  );
  if (ratio !== undefined) return ratio;
  throw new UserError(
    `expected an MLP whose inner width is a multiple of the width ${width}, as transformers has with registers or gates, got ${inner}; export it as ONNX`,
    { inner },
  );
}

export const dinov3: SavedFamily = {
  type: 'dinov3_vit',
  encoder: 'DINOv3ViTModel',
  names: [
    [/^cls$/, 'embeddings.cls_token'],
    [/^registers$/, 'embeddings.register_tokens'],
    [/^patch\./, 'embeddings.patch_embeddings.'],
    [/^layers\./, 'layer.'],
    [/\.(q)uery\.|\.(k)ey\.|\.(v)alue\.|\.(o)utput\./, '.attention.$1$2$3$4_proj.'],
    [/\.gate\./, '.mlp.gate_proj.'],
    [/\.fc1\./, '.mlp.up_proj.'],
    [/\.fc2\./, '.mlp.down_proj.'],
  ],
  without: { pattern: /\.key\.bias$/, key: 'key_bias' },
  constants: (config) => {
    const tensors = new Map(scalesAndMask('layer', [1, 1])(config));
    const none = { shape: [1, 0, config.hidden_size], data: new Float32Array() };
    return config.num_register_tokens ? tensors : tensors.set('embeddings.register_tokens', none);
  },
  fields: (config) => ({
    intermediate_size: config.intermediate_size,
    attention_dropout: 0,
    initializer_range: 0.02,
    ...BACKBONE,
    ...stages(config),
    rope_theta: config.rope_theta,
    query_bias: true,
    key_bias: false,
    value_bias: true,
    proj_bias: true,
    mlp_bias: true,
    use_gated_mlp: config.use_gated_mlp === true,
    num_register_tokens: config.num_register_tokens ?? 0,
    pos_embed_shift: null,
    pos_embed_jitter: null,
    pos_embed_rescale: 2,
  }),
};

export const DINOV2 = dinov2('dinov2', 'Dinov2');
export const DINOV2_WITH_REGISTERS = dinov2('dinov2_with_registers', 'Dinov2WithRegisters');
