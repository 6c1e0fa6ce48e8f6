import assert from 'node:assert/strict';
import { UserError } from '../../../src/base/errors.js';
import type { StoredTensor } from '../../../src/files/safetensors-format.js';
import { accountForTensors } from '../../../src/model/vit/account-for-tensors.js';
import { backboneShapes } from '../../../src/model/vit/backbone-shapes.js';
import { vitConfig } from '../../../src/model/vit/config.js';
import { canonicalNames } from '../../../src/model/vit/names.js';

const config = vitConfig.parse({
  hidden_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  intermediate_size: 24,
  image_size: 8,
  patch_size: 4,
});
const stored = (shape: readonly number[]): StoredTensor => ({
  dtype: 'F32',
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

/** Accounts for a plain ViT's tensors beside which there are others, by their names in the checkpoint. */
function accountBeside(
  names: readonly string[],
  change?: (weights: Map<string, StoredTensor>) => void,
): void {
  const weights = canonicalNames(
    new Map([...backboneShapes(config)].map(([name, shape]) => [name, stored(shape)])),
  );
  for (const [name, tensor] of canonicalNames(new Map(names.map((name) => [name, stored([12])]))))
    weights.set(name, tensor);
  change?.(weights);
  accountForTensors('vit.safetensors', config, weights);
}

const blocks = (name: string) => [`encoder.layer.0.${name}`, `encoder.layer.1.${name}`];

describe('accountForTensors', () => {
  it('ignores heads, poolers, decoders and state that no token passes through', () => {
    for (const name of [
      'pooler.dense.weight',
      'vit.pooler.dense.bias',
      'classifier.weight',
      'head.weight',
      'head.mlp.0.weight',
      'fc.bias',
      'pre_logits.fc.weight',
      'decoder.decoder_encoder.layer.0.attention.attention.query.weight',
      'decoder.0.weight',
      'mask_token',
      'embeddings.mask_token',
      'embeddings.position_ids',
      'head.norm.num_batches_tracked',
      'head.probe',
      'attn_pool.latent.weight',
      'decoder_blocks.0.attn.proj.weight',
      'text_model.final_layer_norm.weight',
      'logit_scale',
    ])
      accountBeside([name]);
  });

  for (const [names, message] of [
    [blocks('layer_scale1.lambda1'), /got 2 of LayerScale \(layers\.0\.scale1, …\)/],
    [blocks('lambda_1'), /2 of LayerScale/],
    [['blocks.0.ls1.gamma'], /1 of LayerScale \(layers\.0\.scale1\)/],
    [['blocks.0.gamma_1', 'blocks.0.gamma_2'], /2 of LayerScale/],
    [['blocks.0.attn.q_norm.weight', 'blocks.0.attn.k_norm.weight'], /2 of query and key norms/],
    [['dist_token'], /1 of distillation \(a second token\)/],
    [['embeddings.distillation_token'], /1 of distillation/],
    [['blocks.0.attn.rel_pos_h'], /1 of relative positions/],
    [
      blocks('attention.attention.relative_position_bias.relative_position_bias_table'),
      /2 of relative positions/,
    ],
    [['rope.periods'], /1 of rotary positions/],
    [['fc_norm.weight'], /1 of a norm after pooling/],
    [
      ['encoder.layer.0.attention.attention.query.lora_A.weight'],
      /1 of an adapter \(read it with loadPeft\)/,
    ],
    [['encoder.layer.0.output.dense.SCB'], /1 of quantised weights/],
    [['neck.0.weight', 'reg_token'], /got 1 that it does not have \(neck\.0\.weight\), 1 of register tokens/],
    [['layers.0.norm3.weight'], /1 that it does not have \(layers\.0\.norm3\.weight\)/],
  ] as const)
    it(`refuses ${names[0]}`, () => {
      assert.throws(
        () => accountBeside(names),
        (error: Error) => {
          assert(error instanceof UserError, error.stack);
          assert.match(error.message, /^vit\.safetensors: expected the tensors of a ViT, got .*; its tokens/);
          assert.match(error.message, message);
          assert(!error.message.includes('\n'));
          return true;
        },
      );
    });

  it('refuses two tensors of one name, integers, missing and misshapen ones', () => {
    assert.throws(
      () =>
        canonicalNames(
          new Map([
            ['cls_token', stored([1, 1, 12])],
            ['model.cls_token', stored([1, 1, 12])],
          ]),
          'a',
        ),
      /^UserError: a: expected one ViT, got two tensors that are its cls \(the second is model\.cls_token\)/,
    );
    const name = 'layers.1.fc2.weight';
    assert.throws(
      () =>
        accountBeside([], (weights) =>
          weights.set(name, { dtype: 'I8', shape: [12, 24], data: new Int32Array(288) }),
        ),
      /expected layers\.1\.fc2\.weight in floats, got I8/,
    );
    assert.throws(
      () => accountBeside([], (weights) => weights.delete('cls')),
      /expected cls .* without a class token/,
    );
    for (const name of ['pre_layrnorm.bias', 'layers.0.mlp.gate_proj.weight', 'embeddings.register_tokens'])
      assert.throws(() => accountBeside([name]), /expected no \S+, as config\.json says/);
    assert.throws(
      () => accountBeside([], (weights) => weights.set(name, stored([12, 12]))),
      /fc2\.weight of shape \[12, 24\], got \[12, 12\]$/,
    );
  });
});
