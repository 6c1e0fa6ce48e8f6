import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.js';

/**
 * Refuses a tensor of a shape or type that an operation cannot take; −1 stands for any size.
 *
 * Engines differ in what they make of such a tensor: an error, another operation's numbers, or what lies behind it in
 * memory. Asked first, all say the same.
 *
 * @throws UserError with the operation, the tensor's name, the shape that it needs and the one that it has.
 * @example
 * expectShape('linear', 'bias', bias, [weight.shape[1]!]);
 */
export function expectShape(
  operation: string,
  name: string,
  { shape, dtype }: Tensor,
  expected: readonly number[],
  type: 'float32' | 'int32' = 'float32',
): void {
  const fits = shape.length === expected.length && expected.every((n, i) => n === -1 || n === shape[i]);
  if (fits && dtype === type) return;
  const expectedText = expected.map((n) => (n === -1 ? '?' : n)).join(', ');
  throw new UserError(
    `${operation}: expected ${name} to be ${type} [${expectedText}], got ${dtype} [${shape.join(', ')}]`,
    { operation, name, expected, shape },
  );
}

/** Refuses a count that is not an integer from 1 up. */
export function expectCount(operation: string, name: string, count: number): void {
  if (Number.isInteger(count) && count >= 1) return;
  throw new UserError(`${operation}: expected ${name} to be an integer from 1 up, got ${count}`, {
    operation,
    name,
    count,
  });
}
