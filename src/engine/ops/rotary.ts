import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
import { add, concat, mul, reshape, slice, sub } from '../../base/tfjs-core.js';
import { defineOp } from '../op.js';
import { expectShape } from '../shapes.js';

interface Attrs {
  /** Whether it turns by the angles' negatives. */
  readonly back: boolean;
}

const run = defineOp<{ x: Tensor; cos: Tensor; sin: Tensor }, Attrs>({
  name: 'Rotary',
  plain: ({ x, cos, sin }, { back }) => {
    const [batch, tokens, width] = x.shape as [number, number, number];
    const half = cos.shape[1]!;
    const heads = width / (2 * half);
    const split = reshape(x, [batch, tokens, heads, 2 * half]);
    const part = (at: number) => slice(split, [0, 0, 0, at], [batch, tokens, heads, half]);
    const [a, b] = [part(0), part(half)];
    const [c, s] = [cos, sin].map((values) => reshape(values, [1, tokens, 1, half])) as [Tensor, Tensor];
    const turned = back
      ? [add(mul(a, c), mul(b, s)), sub(mul(b, c), mul(a, s))]
      : [sub(mul(a, c), mul(b, s)), add(mul(b, c), mul(a, s))];
    return reshape(concat(turned, 3), x.shape);
  },
  saves: { inputs: ['cos', 'sin'] },
  gradient: (dy, [cos, sin], { back }) => ({
    x: () => turn(dy, cos!, sin!, !back),
    cos: withoutGradient,
    sin: withoutGradient,
  }),
});

function turn(x: Tensor, cos: Tensor, sin: Tensor, back: boolean): Tensor {
  return run({ x, cos, sin }, { back })[0]!;
}

function withoutGradient(): Tensor {
  throw new Error('the angles of a rotation have no gradient');
}

/**
 * Turns pairs of numbers by an angle each (Su et al. 2021, "RoFormer"): within each head, number i of the first half and
 * number i of the second, (a, b) → (a·cos θ − b·sin θ, b·cos θ + a·sin θ).
 *
 * The gradient is the rotation back. Shapes: x [batch, tokens, heads · 2 · half], cos and sin [tokens, half], which are
 * constants; the heads follow from the widths.
 */
export function rotary(x: Tensor, cos: Tensor, sin: Tensor): Tensor {
  expectShape('rotary', 'x', x, [-1, -1, -1]);
  expectShape('rotary', 'cos', cos, [x.shape[1]!, -1]);
  expectShape('rotary', 'sin', sin, cos.shape);
  const [width, half] = [x.shape[2]!, cos.shape[1]!];
  if (half === 0 || width % (2 * half) !== 0)
    throw new UserError(`rotary: expected heads of ${2 * half} numbers that divide the width ${width}`, {
      width,
      half,
    });
  return turn(x, cos, sin, false);
}
