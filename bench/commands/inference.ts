import { engineFlags, measureFlags, modelFlags } from '../bench-flags.js';
import { command } from '../command.js';
import { timed } from '../measure.js';
import { randomSegmenter } from '../models.js';
import { flops, products } from '../products.js';
import { print, resultOf } from '../result.js';
import { randomBatch, startEngine } from '../setup.js';

export default command({
  description: 'one forward pass, its logits read back',
  flags: { Model: modelFlags, Engine: engineFlags, Measuring: measureFlags },
  run: async (config) => {
    const { model, adapter, batch } = config;
    const engine = await startEngine(config);
    const segmenter = randomSegmenter(model, adapter);
    const { inputs } = randomBatch(batch, segmenter.imageSize);
    const seconds = await timed(config, async () => {
      const logits = segmenter.forward(inputs);
      await logits.data();
      logits.dispose();
    });
    print(resultOf(engine, config, seconds, flops(products(model, adapter, batch, false))), config.json);
  },
});
