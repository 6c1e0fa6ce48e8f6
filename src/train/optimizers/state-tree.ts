import { Tensor } from '../../base/tfjs-core.js';
import type { State } from './transform.js';

/** The tensors of a state by path: `optimizer/1/m/head`. */
export function stateTensors(state: State): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  visit(state, '', (path, leaf) => {
    if (leaf instanceof Tensor) tensors.set(path, leaf);
  });
  return tensors;
}

/** The numbers of a state by path: `optimizer/1/count`. */
export function stateNumbers(state: State): Record<string, number> {
  const numbers: Record<string, number> = {};
  visit(state, '', (path, leaf) => {
    if (typeof leaf === 'number') numbers[path] = leaf;
  });
  return numbers;
}

/** A tree of the same shape with other leaves. */
export function mapState(
  state: State,
  fn: (path: string, leaf: Tensor | number) => Tensor | number,
  prefix = '',
): State {
  return Object.fromEntries(
    Object.entries(state).map(([key, value]) => {
      const path = prefix + key;
      return [key, isLeaf(value) ? fn(path, value) : mapState(value, fn, `${path}/`)];
    }),
  );
}

/** The first missing or surplus name between two sets, as an error's "got". Undefined where they agree. */
export function difference(expected: Iterable<string>, got: Iterable<string>): string | undefined {
  const [expectedNames, names] = [new Set(expected), new Set(got)];
  const missing = [...expectedNames].find((name) => !names.has(name));
  if (missing !== undefined) return `none named ${missing}`;
  const surplus = [...names].find((name) => !expectedNames.has(name));
  return surplus === undefined ? undefined : `one named ${surplus}`;
}

function visit(state: State, prefix: string, fn: (path: string, leaf: Tensor | number) => void): void {
  for (const [key, value] of Object.entries(state)) {
    if (isLeaf(value)) fn(prefix + key, value);
    else visit(value, `${prefix}${key}/`, fn);
  }
}

function isLeaf(value: State | Tensor | number): value is Tensor | number {
  return typeof value === 'number' || value instanceof Tensor;
}
