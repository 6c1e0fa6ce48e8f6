import type { Tensor } from '@tensorflow/tfjs-core';
import { tensor, tidy } from '../../base/tfjs-core.js';
import { linear } from '../../engine/ops/linear.js';
import { normal, randomStream } from '../../random/random-stream.js';
import { type Model } from '../model.js';
import { Parameters } from '../parameters.js';
import { gridOf, type VitConfig } from '../vit/config.js';
import { addRandomBackbone, encode, patchGrid } from '../vit/vit.js';

/**
 * A ViT from random weights that classifies each patch: one linear layer on each patch's token.
 *
 * What a backbone is pretrained with where there are labels by place: every patch teaches, so it needs far fewer
 * pictures than a class token would (token labelling, Jiang et al. 2021, arXiv:2104.10858, without its class token).
 *
 * Shapes: images [batch, height, width, 3] → logits [batch, height/patch, width/patch, classes].
 */
export class PatchClassifier implements Model {
  readonly parameters = new Parameters();

  constructor(
    readonly config: VitConfig,
    classes: number,
    seed: number,
  ) {
    addRandomBackbone(this.parameters, config, seed);
    const random = randomStream(seed, 'patch classifier');
    const weight = Float32Array.from({ length: config.hidden_size * classes }, () => 0.02 * normal(random));
    const add = (name: string, value: Tensor) =>
      this.parameters.add({ name: `head.${name}`, group: 'head', trainable: true, value });
    add('weight', tensor(weight, [config.hidden_size, classes]));
    add('bias', tensor(new Float32Array(classes), [classes]));
  }

  /** Maps images to logits; see the shapes above. */
  forward(images: Tensor): Tensor {
    const get = (name: string) => this.parameters.get(name);
    return tidy(() => {
      const tokens = encode(
        this.config,
        this.parameters,
        (layer, target, x) => ({
          x,
          weight: get(`layers.${layer}.${target}.weight`),
          bias: get(`layers.${layer}.${target}.bias`),
        }),
        images,
      );
      return linear(patchGrid(tokens, gridOf(this.config)), get('head.weight'), get('head.bias'));
    });
  }

  /** Frees the weights. */
  dispose(): void {
    this.parameters.dispose();
  }
}
