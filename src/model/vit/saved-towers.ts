import type { Json } from '../../files/json-file.js';
import type { SavedFamily } from './saved-families.js';

const TOWER: SavedFamily['names'] = [
  [/^cls$/, 'embeddings.class_embedding'],
  [/^positions$/, 'embeddings.position_embedding.weight'],
  [/^patch\./, 'embeddings.patch_embedding.'],
  [/^prenorm\./, 'pre_layrnorm.'],
  [/^norm\./, 'post_layernorm.'],
  [/^layers\./, 'encoder.layers.'],
  [/\.(q)uery\.|\.(k)ey\.|\.(v)alue\./, '.self_attn.$1$2$3_proj.'],
  [/\.output\./, '.self_attn.out_proj.'],
  [/\.(fc[12])\./, '.mlp.$1.'],
  [/\.norm([12])\./, '.layer_norm$1.'],
];

export const clip: SavedFamily = {
  type: 'clip_vision_model',
  encoder: 'CLIPVisionModel',
  names: TOWER,
  without: { pattern: /^patch\.bias$/ },
  fields: ({ intermediate_size }) => ({
    intermediate_size,
    attention_dropout: 0,
    initializer_factor: 1,
    initializer_range: 0.02,
    projection_dim: 512,
  }),
};

export const siglip: SavedFamily = {
  type: 'siglip_vision_model',
  encoder: 'SiglipVisionModel',
  classifier: {
    architecture: 'SiglipForImageClassification',
    attribute: 'vision_model',
    around: (encoder) => ({
      model_type: 'siglip',
      dtype: encoder['dtype'],
      initializer_factor: 1,
      vision_config: encoder,
      text_config: SIGLIP_TEXT,
    }),
  },
  names: TOWER,
  fields: ({ intermediate_size }) => ({ intermediate_size, attention_dropout: 0, vision_use_head: false }),
};

/** transformers' defaults of a text model that a classifier does not have. */
const SIGLIP_TEXT: Json = {
  model_type: 'siglip_text_model',
  dtype: 'float32',
  attention_dropout: 0,
  bos_token_id: 49406,
  eos_token_id: 49407,
  hidden_act: 'gelu_pytorch_tanh',
  hidden_size: 768,
  intermediate_size: 3072,
  layer_norm_eps: 1e-6,
  max_position_embeddings: 64,
  num_attention_heads: 12,
  num_hidden_layers: 12,
  pad_token_id: 1,
  projection_size: 768,
  vocab_size: 32000,
};
