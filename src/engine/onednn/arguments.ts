import type { TensorInfo } from '@tensorflow/tfjs-core';

/** Shape and type of a result. */
export interface Output {
  readonly shape: readonly number[];
  readonly dtype: TensorInfo['dtype'];
}

/** The arguments of an addon's kernel, by the addon's names; an omitted input is `undefined`. */
export interface Arguments {
  readonly inputs?: Readonly<Record<string, TensorInfo | undefined>>;
  readonly results?: Readonly<Record<string, Output>>;
  readonly numbers?: Readonly<Record<string, number | readonly number[]>>;
}

/**
 * The values in the order in which the addon names them.
 *
 * @throws where a name is on one side only: the addon was built from other sources than these.
 */
export function inOrder<T>(names: readonly string[], values: Readonly<Record<string, T>> = {}): T[] {
  const ordered = names.map((name) => values[name] as T);
  if (Object.keys(values).length !== names.length || !names.every((name) => name in values))
    throw new Error(
      `expected the arguments ${names.join(', ') || 'none'}, got ${Object.keys(values).join(', ') || 'none'}; run npm run build:native`,
    );
  return ordered;
}
