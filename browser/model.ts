import { tensor4d, tidy } from '@tensorflow/tfjs-core';
import { PEFT_FILES } from '../src/adapters/peft/peft-files.js';
import { putPeft } from '../src/adapters/peft/put-peft.js';
import { refuseForeignConfig } from '../src/model/vit/given-config.js';
import { type Pretrained, pretrainedOf } from '../src/model/vit/pretrained-of.js';
import { classesAt } from '../src/tasks/segmentation/classes-at.js';
import { type Segmenter, segmenterOf } from '../src/tasks/segmentation/segmenter.js';
import type { ChosenFiles } from './files.js';
import { modelInput, type Picture } from './picture.js';

const [CONFIG, WEIGHTS, PREPROCESSOR] = ['config.json', 'model.safetensors', 'preprocessor_config.json'];

/** The backbone in the chosen files. @throws UserError for one that is no plain ViT, or not whole. */
export async function backboneFrom(files: ChosenFiles): Promise<Pretrained> {
  const config = { path: CONFIG, json: await files.json(CONFIG) };
  refuseForeignConfig(config.json, CONFIG);
  return pretrainedOf({
    path: WEIGHTS,
    tensors: await files.tensors(WEIGHTS),
    config,
    preprocessor: { path: PREPROCESSOR, json: await files.json(PREPROCESSOR) },
  });
}

/** A segmenter of a backbone with the adapter and the head in the chosen files. */
export async function adaptedFrom(backbone: Pretrained, files: ChosenFiles): Promise<Segmenter> {
  const head = await files.tensors(PEFT_FILES.head);
  const classes = head.get('classify.weight')?.shape[0] ?? 1;
  const model = segmenterOf(backbone, { classes, batchNorm: head.has('norm.weight'), seed: 0 });
  try {
    return await putPeft(model, {
      config: { path: PEFT_FILES.config, json: await files.json(PEFT_FILES.config) },
      weights: async () => ({ path: PEFT_FILES.weights, tensors: await files.tensors(PEFT_FILES.weights) }),
      head: async () => ({ path: PEFT_FILES.head, tensors: head }),
    });
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** The class of each pixel of a picture, at its own size. */
export async function segment(model: Segmenter, picture: Picture): Promise<Uint8Array> {
  const { width, height } = model.imageSize;
  const values = modelInput(picture, model.imageSize, model.normalization);
  const logits = tidy(() => model.forward(tensor4d(values, [1, height, width, 3])));
  const numbers = (await logits.data()) as Float32Array;
  logits.dispose();
  return classesAt(numbers, { rows: height, columns: width, classes: logits.shape[3]! }, picture);
}
