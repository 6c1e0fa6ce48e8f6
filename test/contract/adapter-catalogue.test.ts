import assert from 'node:assert/strict';
import { adapterKind, adapters } from '../../src/adapters/adapters.js';
import { flagTable } from '../../src/cli/flag.js';
import { flags } from '../../src/cli/flags.js';
import { adapterOf } from '../../src/experiment/adapter-flags.js';
import { adapterSearch } from '../../src/experiment/adapter-search.js';
import { createSegmenter } from '../../src/tasks/segmentation/segmenter.js';

const HIDDEN = 12;
const vit = {
  hidden_size: HIDDEN,
  num_hidden_layers: 1,
  num_attention_heads: 3,
  intermediate_size: 24,
  layer_norm_eps: 1e-6,
  image_size: 8,
  patch_size: 4,
  hidden_act: 'gelu' as const,
  num_channels: 3 as const,
};

/** What an adapter's own flags become on a command line. */
function configOf(name: string, ...argv: string[]) {
  const read = flags(argv, { Adapter: adapterKind(name).flags }, { name: 'demo', description: 'Demo.' });
  assert('config' in read);
  return read.config;
}

const asArgv = (settings: object) =>
  Object.entries(settings).map(([key, value]) => `--${key}=${String(value)}`);

/** How many parameters an adapter brings to one map. */
function parametersAt(name: string, rank: number): number {
  const { atRank, flags: known } = adapterKind(name);
  const targets = 'targets' in known ? ['--targets=query'] : [];
  const config = configOf(name, ...targets, ...asArgv(atRank!(rank, 2, {})));
  const model = createSegmenter(vit, { classes: 3, seed: 7 });
  model.inject(adapterOf({ ...config, loraType: name }), 7);
  const count = model.parameters.count('adapter');
  model.dispose();
  return count;
}

describe('the catalogue of adapters', () => {
  for (const name of adapters.names)
    describe(name, () => {
      const { description, flags: known, search = {}, atRank } = adapterKind(name);

      it('says what its flags mean', () => {
        assert.match(description, /^(with|by|without) /);
        assert(adapters.get(name).flags, 'expected flags of its own');
        for (const { name: flag, schema } of flagTable({ Adapter: known }).values())
          assert(schema.description, flag);
      });

      it('is made of its flags, and again of the settings that a checkpoint records', () => {
        const made = adapterOf({ ...configOf(name), loraType: name });
        assert.equal(made.name, name);
        const again = adapters.make(name, made.settings);
        assert.deepEqual(
          [again.name, again.settings, again.targets],
          [made.name, made.settings, made.targets],
        );
      });

      it('is searched by values that its flags take', () => {
        for (const [key, searched] of Object.entries(search))
          for (const value of searched!.choices)
            assert.equal(
              (configOf(name, `--${key}=${String(value)}`) as Record<string, unknown>)[key],
              value,
              key,
            );
        const { space, first } = adapterSearch(
          { loraType: name, mode: 'adapters', separateLr: false },
          HIDDEN,
        );
        assert.deepEqual(Object.keys(first), Object.keys(space));
        for (const [parameter, value] of Object.entries(first))
          assert(space[parameter]!.includes(value), `${parameter} begins with ${value}`);
        assert.equal(Object.keys(space).length, Object.keys(search).length + 2);
      });

      if (atRank)
        it('costs as much a rank as LoRA, and changes a map with the scale that a study gives', () => {
          const [two, four] = [parametersAt(name, 2), parametersAt(name, 4)];
          assert.equal(four - two, parametersAt('lora', 4) - parametersAt('lora', 2));
          const config = configOf(name, ...asArgv(atRank(4, 3, {})));
          const {
            alpha,
            rank,
            blockRank = rank,
          } = adapterOf({ ...config, loraType: name }).settings as Record<string, number>;
          assert.equal(alpha! / blockRank!, 3);
        });
    });

  it('has adapters without a size, too', () => {
    const sized = adapters.names.filter((name) => adapterKind(name).atRank);
    assert.deepEqual(sized, ['lora', 'dora', 'serial_lora', 'localized_lora']);
  });
});
