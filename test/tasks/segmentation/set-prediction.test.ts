import assert from 'node:assert/strict';
import '@tensorflow/tfjs-backend-wasm';
import { setBackend, type Tensor, tensor3d, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { valueAndGradients } from '../../../src/engine/value-and-gradients.js';
import { normal, randomStream } from '../../../src/random/random-stream.js';
import { lossSum } from '../../../src/tasks/segmentation/losses/loss-sum.js';
import { losses } from '../../../src/tasks/segmentation/losses/losses.js';
import { setPrediction } from '../../../src/tasks/segmentation/losses/set-prediction.js';

/** Pictures, their sides, queries and classes of a case. */
interface Sizes {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly queries: number;
  readonly classes: number;
}

/** What a head says, and the masks. */
interface Case extends Sizes {
  /** [batch, height, width, queries] */
  readonly said: readonly number[];
  /** [batch, queries, classes + 1] */
  readonly kinds: readonly number[];
  readonly masks: readonly number[];
}

interface Result {
  readonly value: number;
  readonly said: number[];
  readonly kinds: number[];
}

/** The loss and its gradients by what the head says. */
function compute(one: Case, loss = setPrediction()): Result {
  const { batch, height, width, queries, classes } = one;
  let result: Result | undefined;
  tidy(() => {
    const said: Tensor = tensor4d([...one.said], [batch, height, width, queries]);
    const kinds: Tensor = tensor3d([...one.kinds], [batch, queries, classes + 1]);
    const masks = tensor3d([...one.masks], [batch, height, width], 'int32');
    const logits = tensor4d(
      Array.from({ length: masks.size * classes }, (_, i) => Math.sin(i)),
      [batch, height, width, classes],
    );
    const { value, gradients } = valueAndGradients(
      () => loss(logits, masks, { masks: said, kinds }),
      [said, kinds],
    );
    const [bySaid, byKinds] = gradients.map((gradient) => [...gradient!.dataSync()]);
    result = { value: value.dataSync()[0]!, said: bySaid!, kinds: byKinds! };
  });
  return result!;
}

const SIZES: Sizes = { batch: 2, height: 2, width: 3, queries: 4, classes: 3 };

/** Two pictures: without class 2, with an ignored pixel; and with all classes. */
const ONE: Case = (() => {
  const { batch, height, width, queries, classes } = SIZES;
  const random = randomStream(1, 'set prediction');
  const draw = (length: number) => Array.from({ length }, () => 2 * normal(random));
  return {
    ...SIZES,
    said: draw(batch * height * width * queries),
    kinds: draw(batch * queries * (classes + 1)),
    masks: [0, 1, 1, 0, 255, 1, 2, 2, 0, 1, 1, 1],
  };
})();

const close = (got: number, expected: number, within = 1e-5) =>
  assert.ok(Math.abs(got - expected) <= within * (1 + Math.abs(expected)), `${got}, expected ${expected}`);

/** The parts of what the loss says of a picture, in plain numbers. */
function parts({ height, width, queries, classes, said, kinds, masks }: Case, picture: number) {
  const pixels = Array.from({ length: height * width }, (_, i) => i);
  const at = (i: number) => masks[picture * height * width + i]!;
  const counted = pixels.filter((i) => at(i) !== 255);
  const x = (q: number, i: number) => said[(picture * height * width + i) * queries + q]!;
  const row = (q: number) => {
    const start = (picture * queries + q) * (classes + 1);
    const own = kinds.slice(start, start + classes + 1);
    const total = own.reduce((sum, each) => sum + Math.exp(each), 0);
    return own.map((each) => Math.exp(each) / total);
  };
  const sigmoid = (a: number) => 1 / (1 + Math.exp(-a));
  const mask = (q: number, k: number) => {
    const t = (i: number) => (at(i) === k ? 1 : 0);
    const total = (f: (i: number) => number) => counted.reduce((sum, i) => sum + f(i), 0);
    const bce = total((i) => -Math.log(t(i) ? sigmoid(x(q, i)) : 1 - sigmoid(x(q, i)))) / counted.length;
    const p = (i: number) => sigmoid(x(q, i));
    return bce + 1 - (2 * total((i) => p(i) * t(i)) + 1) / (total(p) + total(t) + 1);
  };
  const present = Array.from({ length: classes }, (_, k) => k).filter((k) =>
    counted.some((i) => at(i) === k),
  );
  return { mask, row, present };
}

/** All ways to give different queries to classes. */
function ways(classes: number, queries: number): number[][] {
  if (classes === 0) return [[]];
  return ways(classes - 1, queries).flatMap((way) =>
    Array.from({ length: queries }, (_, q) => q)
      .filter((q) => !way.includes(q))
      .map((q) => [...way, q]),
  );
}

/** The loss in plain numbers, with the best of all matchings. */
function expected(one: Case): number {
  let [masks, matched, classes, weight] = [0, 0, 0, 0];
  for (let picture = 0; picture < one.batch; picture++) {
    const { mask, row, present } = parts(one, picture);
    if (present.length === 0) continue;
    const cost = (way: readonly number[]) =>
      way.reduce((sum, q, i) => sum + 5 * mask(q, present[i]!) - 2 * row(q)[present[i]!]!, 0);
    const best = ways(present.length, one.queries).reduce((a, b) => (cost(b) < cost(a) ? b : a));
    matched += best.length;
    for (const [i, q] of best.entries()) masks += mask(q, present[i]!);
    for (let q = 0; q < one.queries; q++) {
      const own = best.indexOf(q);
      const w = own < 0 ? 0.1 : 1;
      classes -= w * Math.log(row(q)[own < 0 ? one.classes : present[own]!]!);
      weight += w;
    }
  }
  return (2 * classes) / weight + (5 * masks) / matched;
}

describe('setPrediction', () => {
  it('is that of a picture of two pixels by hand', () => {
    // Query 0 is sure of nothing; query 1 says class 0 and its pixel. Matched: class 0 to query 1, class 1 to query 0.
    const one: Case = {
      batch: 1,
      height: 1,
      width: 2,
      queries: 2,
      classes: 2,
      said: [0, Math.log(3), 0, -Math.log(3)],
      kinds: [0, 0, 0, Math.log(2), 0, 0],
      masks: [0, 1],
    };
    // Query 0: σ = ½, ½. bce log 2; dice 1 − (2·½ + 1)/(1 + 1 + 1) = 1/3. Query 1: σ = ¾, ¼. bce log 4/3; dice 1 − 2.5/3 = 1/6.
    const masks = (Math.log(2) + 1 / 3 + Math.log(4 / 3) + 1 / 6) / 2;
    const classes = (Math.log(3) + Math.log(2)) / 2;
    close(compute(one).value, 2 * classes + 5 * masks);
  });

  it('gives "none" a tenth of the weight of a class', () => {
    // Class 0 is of the query that has its mask; the other one's class is "none". All have a third.
    const one: Case = {
      batch: 1,
      height: 1,
      width: 1,
      queries: 2,
      classes: 2,
      said: [40, -40],
      kinds: [0, 0, 0, 0, 0, 0],
      masks: [0],
    };
    close(compute(one).value, 2 * Math.log(3));
    const { kinds } = compute(one);
    // 2·(p − t)·w/1.1
    [-2, 1, 1, 0.1, 0.1, -0.2].forEach((by, i) => close(kinds[i]!, (2 * by) / 3 / 1.1));
  });

  it('is the best of all matchings, in plain numbers', () => {
    close(compute(ONE).value, expected(ONE));
    const random = randomStream(2, 'set prediction');
    for (let round = 0; round < 10; round++) {
      const draw = (values: readonly number[]) => values.map(() => 2 * normal(random));
      const masks = ONE.masks.map(() => [0, 1, 2, 255][Math.floor(4 * random())]!);
      const one = { ...ONE, said: draw(ONE.said), kinds: draw(ONE.kinds), masks };
      close(compute(one).value, expected(one));
    }
  });

  it('has the gradient of its central differences, the matching held', () => {
    const step = 1e-2;
    const gradient = compute(ONE);
    for (const what of ['said', 'kinds'] as const)
      gradient[what].forEach((g, i) => {
        const at = (by: number) =>
          compute({ ...ONE, [what]: ONE[what].map((x, j) => (i === j ? x + by : x)) }).value;
        const numeric = (at(step) - at(-step)) / (2 * step);
        assert.ok(Math.abs(g - numeric) < 2e-3, `${what}[${i}] ${g}, numeric ${numeric}`);
      });
  });

  it('is the same for queries in another order, and its gradient moves along', () => {
    const order = [2, 0, 3, 1];
    const { queries, classes } = ONE;
    const moved = (values: readonly number[], of: (i: number) => number) =>
      values.map((_, i) => values[of(i)]!);
    const bySaid = (i: number) => i - (i % queries) + order[i % queries]!;
    const width = classes + 1;
    const byKinds = (i: number) => {
      const query = Math.floor(i / width) % queries;
      return i + (order[query]! - query) * width;
    };
    const [plain, other] = [
      compute(ONE),
      compute({ ...ONE, said: moved(ONE.said, bySaid), kinds: moved(ONE.kinds, byKinds) }),
    ];
    close(other.value, plain.value, 1e-6);
    moved(plain.said, bySaid).forEach((g, i) => close(other.said[i]!, g, 1e-6));
    moved(plain.kinds, byKinds).forEach((g, i) => close(other.kinds[i]!, g, 1e-6));
  });

  it('does not depend on ignored pixels', () => {
    const { queries } = ONE;
    const ignored = ONE.masks.indexOf(255);
    const isIts = (i: number) => Math.floor(i / queries) === ignored;
    const other = { ...ONE, said: ONE.said.map((x, i) => (isIts(i) ? x + 3 : x)) };
    assert.equal(compute(other).value, compute(ONE).value);
    assert.ok(compute(ONE).said.every((g, i) => !isIts(i) || g === 0));
  });

  it('leaves a picture out whose pixels are all ignored, and is 0 where all pictures are', () => {
    const half = ONE.masks.length / 2;
    const second: Case = {
      ...ONE,
      batch: 1,
      said: ONE.said.slice(ONE.said.length / 2),
      kinds: ONE.kinds.slice(ONE.kinds.length / 2),
      masks: ONE.masks.slice(half),
    };
    const both = compute({ ...ONE, masks: ONE.masks.map((id, i) => (i < half ? 255 : id)) });
    close(both.value, compute(second).value, 1e-6);
    assert.ok(both.kinds.slice(0, both.kinds.length / 2).every((g) => g === 0));
    const none = compute({ ...ONE, masks: ONE.masks.map(() => 255) });
    assert.equal(none.value, 0);
    assert.ok([...none.said, ...none.kinds].every((g) => Math.abs(g) === 0));
  });

  it('has no segment for a class that a picture lacks: its queries learn "none"', () => {
    const one = { ...ONE, masks: ONE.masks.map(() => 1) };
    close(compute(one).value, expected(one));
    const { kinds } = compute(one);
    const width = ONE.classes + 1;
    for (let query = 0; query < ONE.batch * ONE.queries; query++) {
      const row = kinds.slice(query * width, (query + 1) * width);
      // Falling gradients are of what is right: class 1 for one query of a picture, "none" for the others.
      assert.ok(row[0]! > 0 && row[2]! > 0, `query ${query}: ${row}`);
    }
    assert.equal(kinds.filter((g, i) => i % width === 1 && g < 0).length, ONE.batch);
  });

  it('matches as many segments as there are queries, the cheapest ones', () => {
    const one: Case = {
      batch: 1,
      height: 1,
      width: 3,
      queries: 1,
      classes: 3,
      said: [-5, -5, 5],
      kinds: [0, 0, 0, 0],
      masks: [0, 1, 2],
    };
    const { mask } = parts(one, 0);
    close(compute(one).value, 2 * Math.log(4) + 5 * mask(0, 2));
  });

  it('is finite for logits of ±1e4, and near 0 where they are right', () => {
    const { queries, classes } = ONE;
    const side = ONE.masks.length / ONE.batch;
    const said = ONE.masks.flatMap((id) =>
      Array.from({ length: queries }, (_, q) => (q === id ? 1e4 : -1e4)),
    );
    const kinds = Array.from({ length: ONE.batch }, (_, picture) => {
      const ids = ONE.masks.slice(picture * side, (picture + 1) * side);
      return Array.from({ length: queries }, (_, q) =>
        Array.from({ length: classes + 1 }, (_, k) => (k === (ids.includes(q) ? q : classes) ? 1e4 : -1e4)),
      );
    }).flat(2);
    assert.ok(compute({ ...ONE, said, kinds }).value < 1e-4);
    const wrong = compute({ ...ONE, said: said.map((x) => -x), kinds: kinds.map((x) => -x) });
    assert.ok([wrong.value, ...wrong.said, ...wrong.kinds].every(Number.isFinite));
  });

  it('is not a number where what the head says is none, and ends', () => {
    assert.ok(Number.isNaN(compute({ ...ONE, said: ONE.said.map(() => Number.NaN) }).value));
  });

  it('is one term of a sum', () => {
    const alone = compute(ONE).value;
    const sum = compute(ONE, lossSum('0.5*set+cross-entropy')).value;
    const other = compute(
      ONE,
      (logits, masks, extras) =>
        losses
          .make('cross-entropy')(logits, masks, extras)
          .mul(1)
          .add(losses.make('set')(logits, masks, extras).mul(0)) as never,
    ).value;
    close(sum, 0.5 * alone + other);
  });

  it('refuses a model that says no queries, and a class that the model lacks', () => {
    tidy(() => {
      const logits = tensor4d(new Float32Array(12), [1, 2, 2, 3]);
      const masks = tensor3d([0, 1, 2, 0], [1, 2, 2], 'int32');
      assert.throws(() => setPrediction()(logits, masks), {
        name: 'UserError',
        message: 'loss set: expected a model that says queries, got one that says none; choose the head mask',
      });
      assert.throws(() => setPrediction()(logits, tensor3d([0, 1, 3, 0], [1, 2, 2], 'int32')), /got 3;/);
    });
  });

  it('gives the same on wasm', async () => {
    const { value, said, kinds } = compute(ONE);
    await setBackend('wasm');
    try {
      const other = compute(ONE);
      close(other.value, value);
      said.forEach((g, i) => close(other.said[i]!, g));
      kinds.forEach((g, i) => close(other.kinds[i]!, g));
    } finally {
      await setBackend('cpu');
    }
  });
});
