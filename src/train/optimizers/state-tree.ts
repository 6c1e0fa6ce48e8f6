import { Tensor } from '@tensorflow/tfjs-core';
import type { State } from './transform.js';

/** The tensors of a state by path: `optimizer/1/m/head`. */
export function stateTensors(state: State): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  visit(state, '', (path, leaf) => {
    if (leaf instanceof Tensor) found.set(path, leaf);
  });
  return found;
}

/** The numbers of a state by path: `optimizer/1/count`. */
export function stateNumbers(state: State): Record<string, number> {
  const found: Record<string, number> = {};
  visit(state, '', (path, leaf) => {
    if (typeof leaf === 'number') found[path] = leaf;
  });
  return found;
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

/** What is missing or surplus between two sets of names, as an error's "got". Undefined where they agree. */
export function difference(expected: Iterable<string>, got: Iterable<string>): string | undefined {
  const [wanted, found] = [new Set(expected), new Set(got)];
  const missing = [...wanted].find((name) => !found.has(name));
  if (missing !== undefined) return `none named ${missing}`;
  const surplus = [...found].find((name) => !wanted.has(name));
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
