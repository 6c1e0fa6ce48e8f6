// An export of ours in transformers.js, from its folder alone: the logits of a picture, and what its processor makes of another.
//
//   node test/peers/interop/transformers-twin.mjs MODULES < { folder, size: [height, width], numbers }
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

const { resolve } = createRequire(join(process.argv[2], 'from.js'));
const { AutoModel, AutoProcessor, env, RawImage, Tensor } = await import(
  pathToFileURL(resolve('@huggingface/transformers')).href
);
const { folder, size, numbers } = await json(process.stdin);
env.allowRemoteModels = false;
env.localModelPath = `${dirname(folder)}/`;
const model = await AutoModel.from_pretrained(basename(folder), { dtype: 'fp32' });
const images = new Tensor('float32', Float32Array.from(numbers), [1, 3, ...size]);
const { logits } = await model({ pixel_values: images });
const processor = await AutoProcessor.from_pretrained(basename(folder));
const picture = new RawImage(new Uint8ClampedArray(150 * 100 * 3).fill(128), 150, 100, 3);
const { pixel_values: processed } = await processor(picture);
process.stdout.write(
  JSON.stringify({ dims: logits.dims, logits: [...logits.data], processed: processed.dims }),
);
