import { DEFAULT_HEAD } from '../model/heads/heads.js';
import type { AdaptableVit } from '../model/vit/adaptable-vit.js';
import { leadingTokens, type VitConfig } from '../model/vit/config.js';
import { savedFamily } from '../model/vit/saved-family.js';
import type { Segmenter } from '../tasks/segmentation/segmenter.js';
import { isClassification, type TrainedRun } from './trained-runs.js';

/** The names of the card and of the ONNX file, which transformers.js looks for under this one. */
export const CARD = 'README.md';
export const MODEL = 'onnx/model.onnx';

/** The part of a card that says how to load an export. */
export type Usage = (run: TrainedRun, model: AdaptableVit) => string;

const python = (code: string) => `\`\`\`python\n${code.trim()}\n\`\`\`\n`;

const classify = python(`
from transformers import AutoImageProcessor, AutoModelForImageClassification
from PIL import Image

processor = AutoImageProcessor.from_pretrained(".")
model = AutoModelForImageClassification.from_pretrained(".").eval()
logits = model(**processor(Image.open("picture.jpg").convert("RGB"), return_tensors="pt")).logits
print(model.config.id2label[logits.argmax().item()])
`);

/** A segmenter's ViT and the head `study` in PyTorch; of other heads the weights, and where the whole model is to be had. */
const segment: Usage = (_run, model) => {
  const { width, height } = model.imageSize;
  const { patch_size: patch } = model.config;
  const { encoder } = savedFamily(model.config);
  const leading = leadingTokens(model.config);
  const options = encoder === 'ViTModel' ? ', add_pooling_layer=False' : '';
  const read = `vit(**processor(image, return_tensors="pt")).last_hidden_state`;
  // There the class token alone passes through the last LayerNorm; here all tokens do.
  const tokens = model.config.pre_norm ? `vit.post_layernorm(${read})` : read;
  const { name = DEFAULT_HEAD } = (model as Segmenter).head;
  if (name !== DEFAULT_HEAD && name !== 'conv')
    return `The backbone is a ${encoder} of transformers. The head \`${name}\` is not written here as PyTorch: head.safetensors holds its weights, and \`export --format onnx\` writes the whole model.

${python(`
from transformers import ${encoder}

vit = ${encoder}.from_pretrained("."${options}).eval()
`)}`;
  return `The backbone is a ${encoder} of transformers; the head is three layers of PyTorch whose weights are in head.safetensors.

${python(`
import torch
from PIL import Image
from safetensors.torch import load_file
from transformers import AutoImageProcessor, ${encoder}

processor = AutoImageProcessor.from_pretrained(".")
vit = ${encoder}.from_pretrained("."${options}).eval()
weights = load_file("head.safetensors")
classes, middle = weights["classify.weight"].shape[:2]
layers = {"conv": torch.nn.Conv2d(vit.config.hidden_size, middle, 3, padding=1)}
if "norm.weight" in weights:
    layers["norm"] = torch.nn.BatchNorm2d(middle)
layers |= {"relu": torch.nn.ReLU(), "classify": torch.nn.Conv2d(middle, classes, 1)}
head = torch.nn.Sequential()
for name, layer in layers.items():
    head.add_module(name, layer)
head.load_state_dict(weights, strict=False)
head.eval()

image = Image.open("picture.jpg").convert("RGB")
with torch.no_grad():
    tokens = ${tokens}[:, ${leading}:]
    grid = tokens.transpose(1, 2).unflatten(2, (${height / patch}, ${width / patch}))
    logits = torch.nn.functional.interpolate(head(grid), scale_factor=${patch}, mode="bilinear")
    logits = torch.nn.functional.interpolate(logits, image.size[::-1], mode="bilinear")
print(logits.argmax(1))
`)}`;
};

/** The class that loads the encoder of a base model: inside a model of text and pictures it has one of its own. */
function encoderClass({ pre_norm, class_token, module_names }: VitConfig): string {
  if (pre_norm) return 'CLIPVisionModel';
  return class_token === false && !module_names ? 'SiglipVisionModel' : 'AutoModel';
}

/** How to load each format. */
export const usageOf = {
  hf: (run, model) => (isClassification(run) ? classify : segment(run, model)),

  adapter: (
    run,
    { config },
  ) => `The adapter alone, in PEFT's format, for the base model; the head is in head.safetensors.

${python(`
from peft import PeftModel
from transformers import ${encoderClass(config)}

vit = ${encoderClass(config)}.from_pretrained(${JSON.stringify(run.settings.model.modelName)})
vit = PeftModel.from_pretrained(vit, ".").eval()
`)}
In Millrace: \`await loadPeft(await ${isClassification(run) ? 'loadClassifier' : 'loadSegmenter'}(base, { classes: ${run.settings.classNames.length}, seed: ${run.settings.randomSeed} }), folder)\`.
`,

  onnx: (run, { imageSize: { width, height }, normalization: { mean, std } }) => {
    const [shape, reading] = isClassification(run)
      ? ['[batch, classes]', 'print(logits.argmax(1))']
      : ['[batch, classes, height, width]', 'print(logits.argmax(1))  # classes, at the size of the model'];
    return `\`${MODEL}\` is ONNX of opset 17 in f32: \`pixel_values\` [batch, 3, ${height}, ${width}] → \`logits\` ${shape}.

${python(`
import numpy as np
import onnxruntime
from PIL import Image

session = onnxruntime.InferenceSession("${MODEL}")
image = Image.open("picture.jpg").convert("RGB").resize((${width}, ${height}), Image.BILINEAR)
pixels = (np.asarray(image, np.float32) / 255 - ${JSON.stringify(mean)}) / ${JSON.stringify(std)}
logits = session.run(None, {"pixel_values": pixels.transpose(2, 0, 1)[None].astype(np.float32)})[0]
${reading}
`)}`;
  },
} satisfies Readonly<Record<string, Usage>>;
