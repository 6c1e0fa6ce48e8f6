import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { say } from '../../base/say.js';
import { type Json, readJson } from '../../files/json-file.js';
import { classLabels } from './class-labels.js';
import { refuseForeignConfig } from './given-config.js';
import { fromHub } from './hub.js';
import { type Pretrained, pretrainedOf } from './pretrained-of.js';
import { otherFilter } from './resampling.js';
import { readWeights, weightFile } from './weight-files.js';

/**
 * Finds and reads a pretrained ViT: a folder with model.safetensors or its shards (and config.json), a .safetensors
 * file, or a hub id such as `google/vit-base-patch16-224`, from Hugging Face's cache or, where it is not there,
 * downloaded into it.
 *
 * config.json is that of transformers or of timm; what it says is checked against the tensors, and a tensor that the
 * ViT does not have is an error (see `accountForTensors`); a line says which parts are left out (the text model of CLIP). Without config.json the number of heads is known of
 * the published sizes alone. Where the model's pictures were resized with another filter than ours, a line says so.
 *
 * @throws UserError when nothing is found, for a hub id it says what to download and where to put it; and for a model
 * that is no plain ViT, saying what sets it apart.
 */
export async function readPretrained(name: string): Promise<Pretrained> {
  const path = await pretrainedFile(name);
  const [configPath, preprocessorPath] = ['config.json', 'preprocessor_config.json'].map((file) =>
    join(dirname(path), file),
  ) as [string, string];
  const config = { path: configPath, json: await readConfig(configPath) };
  const tensors = await readWeights(path);
  const preprocessor = { path: preprocessorPath, json: await readJson(preprocessorPath) };
  const pretrained = pretrainedOf({ path, tensors, config, preprocessor });
  const { leftOut = [] } = pretrained;
  if (leftOut.length > 0)
    say(`${name}: only the encoder of pictures is read; left out: ${leftOut.join(', ')}`);
  const filter = otherFilter(preprocessor.json, config.json);
  if (filter)
    say(`${name}: its pictures were resized by ${filter} interpolation; here they are resized by bilinear`);
  return pretrained;
}

/**
 * The names of the classes of a pretrained ViT's own classifier, where its config.json states them, and its file of
 * weights, which is not read.
 *
 * @throws UserError where nothing is found.
 */
export async function pretrainedLabels(name: string): Promise<Pick<Pretrained, 'path' | 'labels'>> {
  const path = await pretrainedFile(name);
  const labels = classLabels(await readConfig(join(dirname(path), 'config.json')));
  return { path, ...(labels && { labels }) };
}

/** The file of weights of a folder, of a file or of a hub id. */
async function pretrainedFile(name: string): Promise<string> {
  const stats = await stat(name).catch(() => undefined);
  if (!stats) return fromHub(name);
  return stats.isDirectory() ? weightFile(name) : name;
}

/** A folder's config.json. @throws UserError for a model that is no plain ViT. */
async function readConfig(path: string): Promise<Json | undefined> {
  const file = await readJson(path);
  refuseForeignConfig(file, path);
  return file;
}
