import { engineFlags, measureFlags, modelFlags } from '../bench-flags.js';
import { command } from '../command.js';
import { timed } from '../measure.js';
import { randomSegmenter } from '../models.js';
import { flops, products } from '../products.js';
import { print, resultOf } from '../result.js';
import { startEngine, stepOf } from '../setup.js';

export default command({
  description: 'one step of training: forward, gradients, AdamW',
  flags: { Model: modelFlags, Engine: engineFlags, Measuring: measureFlags },
  run: async (config) => {
    const { model, adapter, batch } = config;
    const engine = await startEngine(config);
    const seconds = await timed(config, stepOf(randomSegmenter(model, adapter), batch));
    print(resultOf(engine, config, seconds, flops(products(model, adapter, batch, true))), config.json);
  },
});
