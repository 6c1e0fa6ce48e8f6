import { didYouMean } from '../../base/did-you-mean.js';

/**
 * The `model_type`s of transformers whose encoder is the ViT of `blocks`, as it is or by `foldTensors`.
 */
const PLAIN = ['vit', 'deit', 'vit_mae', 'vit_msn', 'dinov2', 'dinov2_with_registers'];

/** Other model families of transformers, and how they differ. */
const OTHERS: Readonly<Record<string, string>> = {
  dinov3_vit: 'DINOv3, which has rotary positions, LayerScale and register tokens',
  beit: 'BEiT, which has LayerScale and relative positions',
  'data2vec-vision': 'data2vec, which has LayerScale and relative positions',
  clip: 'CLIP, which has a text model and a LayerNorm before the blocks',
  clip_vision_model: 'CLIP, which has a LayerNorm before the blocks and another GELU',
  siglip: 'SigLIP, which has a text model and no class token',
  siglip_vision_model: 'SigLIP, which has no class token',
  ijepa: 'I-JEPA, which has no class token',
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

/** Whether a `model_type` is that of DINOv2, with registers or without. */
export function isDinov2(type: unknown): boolean {
  return typeof type === 'string' && type.startsWith('dinov2');
}

/** Why a config.json of this `model_type` cannot be read; undefined for a plain ViT, or without a type. */
export function foreignModel(type: unknown): string | undefined {
  if (type === undefined || PLAIN.includes(type as string)) return undefined;
  const name = typeof type === 'string' ? type : (JSON.stringify(type) ?? '');
  const known = Object.hasOwn(OTHERS, name)
    ? `${name} (${OTHERS[name]})`
    : `"${name}"${didYouMean(name, PLAIN)}`;
  return `model_type: expected a plain ViT (${PLAIN.join(', ')}), got ${known}`;
}
