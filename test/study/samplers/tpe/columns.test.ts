import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  categoricalDistribution,
  type Distribution,
  floatDistribution,
  intDistribution,
} from '../../../../exports/study.js';
import { randomStream } from '../../../../src/random/random-stream.js';
import { ChoiceColumn } from '../../../../src/study/samplers/tpe/choice-column.js';
import { KernelColumn } from '../../../../src/study/samplers/tpe/kernel-column.js';
import { rampWeights, settingsOf } from '../../../../src/study/samplers/tpe/options.js';
import { ParzenEstimator } from '../../../../src/study/samplers/tpe/parzen-estimator.js';

/** How observations come: trial numbers in or out of order, values clustered, spread out, or repeated, some taken out. */
const history = fc.record({
  count: fc.constantFrom(0, 1, 2, 5, 24, 26, 27, 60, 109, 110, 130, 400),
  shape: fc.constantFrom('clustered', 'spread', 'repeated'),
  shuffled: fc.boolean(),
  removed: fc.integer({ min: 0, max: 90 }),
  seed: fc.nat(),
  endpoints: fc.boolean(),
  priorWeight: fc.constantFrom(1, 0.3),
});

const distributions: Record<string, Distribution> = {
  float: floatDistribution(-5, 3),
  'log float': floatDistribution(1e-5, 1, { log: true }),
  'stepped float': floatDistribution(0, 1, { step: 0.05 }),
  int: intDistribution(-100, 100),
  'fine int': intDistribution(0, 10_000),
  'log int': intDistribution(1, 500, { log: true }),
  categorical: categoricalDistribution(['a', 'b', 'c', 'd']),
};

describe('incremental columns', () => {
  for (const [name, distribution] of Object.entries(distributions)) {
    it(`give the density that the whole estimator does: ${name}`, () => {
      fc.assert(
        fc.property(history, ({ count, shape, shuffled, removed, seed, endpoints, priorWeight }) => {
          const random = randomStream(seed, 'columns');
          const value = () => {
            const t = random();
            const place =
              shape === 'clustered' ? 0.5 + 0.02 * (t - 0.5) : shape === 'spread' ? t : Math.round(4 * t) / 4;
            return valueAt(distribution, random() < 0.05 ? random() : place);
          };
          const rows = Array.from({ length: count }, (_, number) => ({ number, value: value() }));
          const order = shuffled ? [...rows].sort(() => random() - 0.5) : rows;
          const column =
            distribution.name === 'CategoricalDistribution'
              ? new ChoiceColumn(distribution, priorWeight)
              : new KernelColumn(distribution, priorWeight, endpoints);
          for (const each of order) column.insert(each.number, each.value);
          const gone = new Set(order.filter(() => random() * 100 < removed));
          for (const each of gone) column.remove(each.number);

          const left = rows.filter((each) => !gone.has(each));
          const observed = Float64Array.from(left, (each) => each.value);
          const settings = settingsOf({ endpoints, priorWeight }, 1);
          const whole = new ParzenEstimator(
            [['x', distribution]],
            [observed],
            rampWeights(left.length),
            settings,
          );
          const points = Float64Array.from({ length: 12 }, () =>
            random() < 0.5 ? value() : valueAt(distribution, random()),
          );
          const [ours, theirs] = [column.logDensity(points), whole.logDensity([points])];
          for (let i = 1; i < points.length; i++) {
            const [a, b] = [ours[i]! - ours[0]!, theirs[i]! - theirs[0]!];
            assert.ok(Math.abs(a - b) < 1e-9, `${points[i]} against ${points[0]}: ${a}, whole ${b}`);
          }
        }),
        { numRuns: 60 },
      );
    });
  }
});

function valueAt(d: Distribution, t: number): number {
  if (d.name === 'CategoricalDistribution')
    return Math.min(d.choices.length - 1, Math.floor(t * d.choices.length));
  const x = d.log ? d.low * (d.high / d.low) ** t : d.low + t * (d.high - d.low);
  const placed = d.step === null ? x : d.low + Math.round((x - d.low) / d.step) * d.step;
  return Math.min(Math.max(placed, d.low), d.high);
}
