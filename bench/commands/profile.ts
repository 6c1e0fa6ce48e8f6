import { z } from 'zod';
import { nameIn } from '../../src/cli/flag.js';
import { sizeText } from '../../src/data/images/image-size.js';
import { onednnBackend } from '../../src/engine/onednn.js';
import { imageSizeFlag } from '../../src/experiment/image-size-flag.js';
import { segmentationLossFlags } from '../../src/experiment/segmentation-loss.js';
import { DEFAULT_HEAD, heads } from '../../src/model/heads/heads.js';
import { lossSum } from '../../src/tasks/segmentation/losses/loss-sum.js';
import { engineFlags, modelFlags } from '../bench-flags.js';
import { command } from '../command.js';
import { timed } from '../measure.js';
import { randomSegmenter } from '../models.js';
import { markdown, updateSection } from '../report.js';
import { rounded } from '../result.js';
import { startEngine, stepOf } from '../setup.js';

export default command({
  description: 'where the time of a training step goes, by kernel of the onednn engine',
  flags: {
    Model: {
      ...modelFlags,
      head: nameIn(heads).default(DEFAULT_HEAD).describe('the segmentation head'),
      imageSize: imageSizeFlag.optional().describe("size of the pictures; default the model's"),
      loss: segmentationLossFlags.loss,
    },
    Engine: { precision: engineFlags.precision, threads: engineFlags.threads },
    Measuring: {
      warmUp: z.int().min(0).default(3).describe('steps before the clock starts'),
      steps: z.int().min(1).default(10).describe('steps over which times are averaged'),
      json: z.boolean().default(false).describe('print one JSON object'),
      update: z.boolean().default(false).describe('put the table into PERFORMANCE.md'),
    },
  },
  run: async (config) => {
    const { model, adapter, batch, head, imageSize, loss, warmUp, steps } = config;
    const engine = await startEngine({ ...config, engine: 'onednn' });
    const segmenter = randomSegmenter(model, adapter, { name: head, ...(imageSize && { imageSize }) });
    const size = sizeText(segmenter.imageSize);
    const step = stepOf(segmenter, batch, lossSum(loss));
    const { addon } = onednnBackend();
    await timed({ warmUp, steps: 1 }, step);
    addon.profile(true);
    const start = performance.now();
    for (let i = 0; i < steps; i++) await step();
    addon.drain();
    const wall = (performance.now() - start) / steps;
    const kernels = Object.entries(addon.profile(false))
      .map(([kernel, { calls, ms, processorMs }]) => ({
        kernel,
        calls: calls / steps,
        ms: rounded(ms / steps),
        processorMs: rounded(processorMs / steps),
      }))
      .sort((a, b) => b.ms - a.ms);
    const busy = kernels.reduce((sum, { ms }) => sum + ms, 0);
    const rows = [
      ...kernels,
      { kernel: 'no kernel runs', calls: 0, ms: rounded(wall - busy), processorMs: 0 },
    ];
    const table = markdown(
      ['kernel', 'calls a step', 'ms a step', 'share', 'processor ms'],
      rows.map(({ kernel, calls, ms, processorMs }) => [
        kernel,
        calls ? calls.toFixed(0) : '',
        ms.toFixed(2),
        `${((100 * ms) / wall).toFixed(1)} %`,
        processorMs ? processorMs.toFixed(2) : '',
      ]),
    );
    const what = `${model}, ${adapter}, head ${head}, ${loss}, batch ${batch} of ${size}, ${engine.precision}, ${engine.threads} threads: ${wall.toFixed(1)} ms a step`;
    if (config.json)
      process.stdout.write(
        `${JSON.stringify({ model, adapter, head, loss, image_size: size, batch, precision: engine.precision, threads: engine.threads, ms_per_step: rounded(wall), rows })}\n`,
      );
    else process.stdout.write(`${what}\n\n${table}`);
    if (config.update) await updateSection('profile', `${what}\n\n${table}`);
  },
});
