import { didYouMean } from '../../base/did-you-mean.js';
import type { Json } from '../../files/json-file.js';

/** A family of transformers whose encoder is the ViT of `blocks`, as it is or by `foldTensors`. */
interface Family {
  /** What transformers takes where config.json leaves a key out, as it does inside `vision_config`. */
  readonly defaults?: Json;
  /** What sets the encoder apart from a plain ViT's, by the keys of `vitConfig`. */
  readonly features?: (file: Json) => Json;
  /** Maps without biases; by the names of our tensors. Default: those of `qkv_bias: false`. */
  readonly unbiased?: (file: Json) => readonly string[];
  /** Whether positions fit any size of pictures, so that the sizes of a preprocessor are a choice. */
  readonly anySize?: boolean;
}

const dinov2: Family = {
  defaults: { patch_size: 14, layer_norm_eps: 1e-6, mlp_ratio: 4 },
  features: (file) => ({
    intermediate_size: innerWidth(file),
    use_gated_mlp: file['use_swiglu_ffn'] === true,
    ...(file['use_swiglu_ffn'] === true ? { hidden_act: 'silu' } : { module_names: 'dinov2' }),
  }),
  anySize: true,
};

/** DINOv2 states the inner width of an MLP as a multiple of the width. */
function innerWidth({ hidden_size: width = 768, mlp_ratio: ratio, use_swiglu_ffn: gated }: Json): unknown {
  if (typeof width !== 'number' || typeof ratio !== 'number') return undefined;
  const whole = Math.floor(width * ratio);
  return gated === true ? gatedWidth(whole) : whole;
}

/** The inner width of a gated MLP of DINOv2 in place of a plain one of this width: two thirds of it, in eights. */
export function gatedWidth(plain: number): number {
  return Math.floor((Math.floor((plain * 2) / 3) + 7) / 8) * 8;
}

/** The families by their `model_type`. */
const FAMILIES: Readonly<Record<string, Family>> = {
  vit: {},
  deit: { features: () => ({ module_names: 'vit' }) },
  vit_mae: {},
  vit_msn: { defaults: { layer_norm_eps: 1e-6 } },
  ijepa: { features: () => ({ class_token: false, module_names: 'vit' }) },
  dinov2,
  dinov2_with_registers: dinov2,
  dinov3_vit: {
    defaults: {
      hidden_size: 384,
      intermediate_size: 1536,
      num_attention_heads: 6,
      layer_norm_eps: 1e-5,
      rope_theta: 100,
      key_bias: false,
      use_gated_mlp: false,
    },
    features: ({ rope_theta, use_gated_mlp }) => ({ rope_theta, use_gated_mlp }),
    unbiased: (file) =>
      Object.entries(DINOV3_BIASES).flatMap(([key, maps]) => (file[key] === false ? maps : [])),
    anySize: true,
  },
  clip_vision_model: {
    defaults: { patch_size: 32, hidden_act: 'quick_gelu', layer_norm_eps: 1e-5 },
    features: () => ({ pre_norm: true }),
    unbiased: () => ['patch'],
  },
  siglip_vision_model: {
    defaults: { hidden_act: 'gelu_pytorch_tanh', layer_norm_eps: 1e-6 },
    features: () => ({ class_token: false }),
  },
};

const DINOV3_BIASES: Readonly<Record<string, readonly string[]>> = {
  query_bias: ['query'],
  key_bias: ['key'],
  value_bias: ['value'],
  proj_bias: ['output'],
  mlp_bias: ['gate', 'fc1', 'fc2'],
};

/** Models of text and pictures, and the family of their `vision_config`. */
const WITH_TEXT: Readonly<Record<string, string>> = {
  clip: 'clip_vision_model',
  siglip: 'siglip_vision_model',
};

/** The `model_type`s that can be read. */
const TYPES = [...Object.keys(FAMILIES), ...Object.keys(WITH_TEXT)];

/** Other model families of transformers, and how they differ. */
const OTHERS: Readonly<Record<string, string>> = {
  beit: 'BEiT, which has relative positions and no last LayerNorm',
  'data2vec-vision': 'data2vec, which has relative positions and no last LayerNorm',
  siglip2: 'SigLIP 2 of free sizes (NaFlex); those of one size are of type siglip',
  dinov3_convnext: 'DINOv3 as a ConvNeXT, which is not a transformer',
  swin: 'Swin, which attends in windows and has no class token',
  swinv2: 'Swin, which attends in windows and has no class token',
  yolos: 'YOLOS, which has detection tokens',
  dpt: 'DPT, a ViT under a depth estimator',
  vit_hybrid: 'ViT hybrid, which has a convolutional stem',
  convnext: 'ConvNeXT, which is not a transformer',
  convnextv2: 'ConvNeXT, which is not a transformer',
  resnet: 'a ResNet, which is not a transformer',
  segformer: 'SegFormer, which has no class token and a pyramid of sizes',
  sam_vision_model: 'SAM, which attends in windows',
};

/** What a config.json of transformers says of an encoder. */
export interface EncoderFile {
  /** The keys of `vitConfig`, with the defaults and features of the family. */
  readonly json: Json;
  readonly unbiased: readonly string[];
}

/** The encoder in a config.json of transformers: itself, or the `vision_config` of a model of text and pictures. */
export function encoderFile(file: Json): EncoderFile {
  const own = visionConfig(file);
  const { defaults = {}, features = () => ({}), unbiased = qkvUnbiased } = familyOf(file) ?? {};
  const whole = { ...defaults, ...own };
  const plain = Object.fromEntries(Object.entries(whole).filter(([key]) => !FEATURES.includes(key)));
  return { json: { ...plain, ...features(whole) }, unbiased: unbiased(whole) };
}

/** Keys that mean something in some families alone. */
const FEATURES = [
  'pre_norm',
  'class_token',
  'rope_theta',
  'use_gated_mlp',
  'num_register_tokens',
  'module_names',
];

const qkvUnbiased = (file: Json) => (file['qkv_bias'] === false ? ['query', 'key', 'value'] : []);

function visionConfig(file: Json): Json {
  const inner = Object.hasOwn(WITH_TEXT, `${file['model_type']}`) ? file['vision_config'] : undefined;
  return typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? (inner as Json) : file;
}

function familyOf({ model_type: type }: Json): Family | undefined {
  const name = `${type}`;
  const own = Object.hasOwn(WITH_TEXT, name) ? WITH_TEXT[name]! : name;
  return Object.hasOwn(FAMILIES, own) ? FAMILIES[own] : undefined;
}

/** Whether a config.json is of a family whose pictures may have any size. */
export function takesAnySize(file: Json | undefined): boolean {
  return file !== undefined && familyOf(file)?.anySize === true;
}

/** Why a config.json of this `model_type` cannot be read; undefined for a ViT, or without a type. */
export function foreignModel(type: unknown): string | undefined {
  if (type === undefined || TYPES.includes(type as string)) return undefined;
  const name = typeof type === 'string' ? type : (JSON.stringify(type) ?? '');
  const known = Object.hasOwn(OTHERS, name)
    ? `${name} (${OTHERS[name]})`
    : `"${name}"${didYouMean(name, TYPES)}`;
  return `model_type: expected a ViT (${TYPES.join(', ')}), got ${known}`;
}
