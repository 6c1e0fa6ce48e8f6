import type { PixelFormat } from '../data/images/pixel-format.js';
import type { Classifier } from '../tasks/classification/classifier.js';
import type { Segmenter } from '../tasks/segmentation/segmenter.js';
import { MODEL } from './export-usage.js';

/** What each format holds of a model whose pictures are not RGB of 8 bits, which Pillow and the processors of transformers do not read. */
const HELD: Readonly<Record<'hf' | 'adapter' | 'onnx', (channels: number) => string>> = {
  hf: (channels) =>
    `The encoder is one of transformers with num_channels ${channels}; a segmentation head is in head.safetensors.`,
  adapter: (channels) =>
    `The adapter alone, in PEFT's format, for the base model${channels === 3 ? '' : ` with its patch embedding adapted to ${channels} channels as timm's \`adapt_input_conv\` does, before PEFT loads it`}; the head is in head.safetensors.`,
  onnx: () => `${MODEL} is ONNX of opset 17 in f32, from \`pixel_values\` to \`logits\`.`,
};

/** How the card of an export says what a model takes whose pictures are not RGB of 8 bits. */
export function deepUsage(
  format: keyof typeof HELD,
  { channels, range }: PixelFormat,
  { imageSize: { width, height }, normalization: { mean, std } }: Segmenter | Classifier,
): string {
  const values = range
    ? `Values from ${range[0]} to ${range[1]} become 0 to 1, and values beyond them 0 or 1`
    : 'Values of 8 bits are divided by 255, those of 16 by 65535';
  return `${HELD[format](channels)}

\`pixel_values\` [batch, ${channels}, ${height}, ${width}] are pictures of ${channels} ${channels === 1 ? 'channel' : 'channels'}, in the order of the files' bands or pages. ${values}; the picture is resized with a triangle filter, and of each channel the mean ${JSON.stringify(mean)} is taken off and the rest divided by ${JSON.stringify(std)}.
`;
}
