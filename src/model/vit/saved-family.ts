import { UserError } from '../../base/errors.js';
import type { VitConfig } from './config.js';
import { DINOV2, DINOV2_WITH_REGISTERS, dinov3, type SavedFamily, vit } from './saved-families.js';
import { clip, siglip } from './saved-towers.js';

/** The families by the features of `vitConfig` that they have. */
const FAMILIES: readonly (readonly [readonly (keyof VitConfig)[], SavedFamily])[] = [
  [[], vit],
  [['class_token'], siglip],
  [['pre_norm'], clip],
  [['use_gated_mlp'], DINOV2],
  [['num_register_tokens', 'use_gated_mlp'], DINOV2_WITH_REGISTERS],
  [['rope_theta', 'num_register_tokens', 'use_gated_mlp'], dinov3],
];

/** What sets an encoder apart from a plain ViT, in words. */
const FEATURES = {
  class_token: 'no class token',
  pre_norm: 'a LayerNorm before the blocks',
  use_gated_mlp: 'gated MLPs',
  num_register_tokens: 'registers',
  rope_theta: 'rotary positions',
} as const;

/**
 * The first family of transformers that has all that sets an encoder apart.
 *
 * @throws UserError where none has it.
 */
export function savedFamily(config: VitConfig): SavedFamily {
  const features = (Object.keys(FEATURES) as (keyof typeof FEATURES)[]).filter((key) =>
    key === 'class_token' ? config.class_token === false : Boolean(config[key]),
  );
  const found = FAMILIES.find(([has]) => features.every((feature) => has.includes(feature)));
  const rotary = features.includes('rope_theta');
  if (found && (rotary || !found[0].includes('rope_theta'))) return found[1];
  throw new UserError(
    `expected an encoder that transformers has a class for, got one with ${features.map((key) => FEATURES[key]).join(' and ')}; export it as ONNX`,
    { features },
  );
}
