import { UserError } from '../base/errors.js';
import { norm, sub, Tensor, tensor, tidy } from '../base/tfjs-core.js';
import { linear } from '../engine/ops/linear.js';
import { linears } from '../engine/ops/linears.js';
import { productTolerance } from '../engine/rounding.js';
import { normal, randomStream } from '../random/random-stream.js';
import type { Adapter, Base, MergedMap, Site } from './adapter.js';

const ROWS = 4;

/**
 * The linear map that replaces a base map together with its adapter. What `merged` answers is tried on random rows
 * against `apply`, for a model that is merged is scored in place of the one that was trained.
 *
 * @throws UserError where the adapter has no `merged`, and where it gives another function than `apply`.
 */
export function mergedMap(
  adapter: Adapter,
  site: Site,
  base: Base,
  own: (part: string) => Tensor,
): MergedMap {
  const { name } = adapter;
  if (!adapter.merged)
    throw new UserError(
      `${name}: expected an adapter that can be merged, got one without merged(); use it unmerged`,
      {
        adapter: name,
      },
    );
  return tidy(() => {
    const answer = adapter.merged!(site, base.weight, own, base.bias);
    const merged = answer instanceof Tensor ? { weight: answer, bias: base.bias } : answer;
    const random = randomStream(0, 'merge', site.layer, site.target);
    const rows = Float32Array.from({ length: ROWS * site.inputs }, () => normal(random));
    const x = tensor(rows, [1, ROWS, site.inputs]);
    const result = adapter.apply(site, x, base, { own, once: (_key, compute) => compute() });
    const expected = result instanceof Tensor ? result : linears([result])[0]!;
    const size = (y: Tensor) => norm(y).dataSync()[0]!;
    const off = size(sub(expected, linear(x, merged.weight, merged.bias)));
    const change = size(sub(expected, linear(x, base.weight, base.bias)));
    if (!Number.isFinite(off))
      throw new UserError(
        `${name}: expected finite numbers to merge, got some that are not at ${site.target} of block ${site.layer}; load or train the adapter again`,
        { adapter: name },
      );
    if (off > productTolerance() * size(expected) + 0.1 * change)
      throw new UserError(
        `${name}: expected merged() to be the function that apply() is, got another at ${site.target} of block ${site.layer} ` +
          `(off by ${off.toPrecision(2)} where the adapter changes ${change.toPrecision(2)}); correct merged(), or leave it out`,
        { adapter: name },
      );
    return merged;
  });
}
