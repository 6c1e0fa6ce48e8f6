import { basename, resolve } from 'node:path';
import { z } from 'zod';
import { COMBINATIONS, type Combination } from '../adapters/combine-adapters.js';
import { UserError } from '../base/errors.js';
import { readUnless } from '../cli/flag.js';
import { OWN } from './put-adapters.js';
import type { TrainedRun } from './trained-runs.js';

/** A flag of adapters that take the place of a run's own. */
export const adapterPathsFlag = z
  .array(z.string().min(1))
  .default([])
  .describe(
    "adapters in place of the run's, each PATH or NAME=PATH: a folder of PEFT (with its head, if it has one), or a hub id",
  );

const pairs = z
  .array(
    z
      .string()
      .regex(/^[^:]+:-?(\d+\.?\d*|\.\d+)$/, { error: 'expected name:weight, such as pets:0.5,birds:0.5' }),
  )
  .optional()
  .describe(
    `weights by name for one adapter that is a sum of them, such as pets:0.5,${OWN}:0.5; ${OWN} is the run's own`,
  );
const alone = ({ combine }: { readonly combine?: unknown }) =>
  combine === undefined ? 'nothing is combined without --combine' : undefined;

/** Flags that combine adapters. */
export const combineFlags = {
  combine: pairs,
  combination: readUnless(
    z
      .enum(COMBINATIONS)
      .default('cat')
      .describe(
        'cat = exact, of the sum of the ranks; svd = the best of a rank; linear = factors added, rough',
      ),
    alone,
  ),
  combineRank: readUnless(
    z.int().min(1).optional().describe('rank of svd; default: the highest of the adapters'),
    alone,
  ),
};

/** What flags say of adapters in place. */
export interface AskedAdapters {
  readonly adapter: readonly string[];
  readonly combine?: readonly string[] | undefined;
  readonly combination?: Combination | undefined;
  readonly combineRank?: number | undefined;
}

/**
 * The runs with what `--adapter` and `--combine` put in place of their own adapters: each run as it is without either, once for
 * each adapter, or once with the combination. Several have the adapter's name after their own.
 *
 * @throws UserError for two of one name, and for a weight of what is not there.
 */
export function withAdapters<R extends TrainedRun>(runs: readonly R[], asked: AskedAdapters): R[] {
  const named = asked.adapter.map((text) => {
    const [, name, path] = /^([\w.-]+)=(.+)$/.exec(text) ?? [undefined, basename(resolve(text)), text];
    return [name!, path!] as const;
  });
  const names = named.map(([name]) => name);
  const twice = names.find((name, i) => name === OWN || names.indexOf(name) < i);
  if (twice !== undefined)
    throw new UserError(
      `--adapter: expected names of their own (and not ${OWN}, the run's adapter), got ${twice}; write NAME=PATH`,
      { adapter: twice },
    );
  if (asked.combine) {
    const weights = asked.combine.map((text) => {
      const at = text.lastIndexOf(':');
      return [text.slice(0, at), Number(text.slice(at + 1))] as const;
    });
    const unknown = weights.find(([name]) => name !== OWN && !names.includes(name));
    if (unknown)
      throw new UserError(
        `--combine: expected names of --adapter or ${OWN}, got ${unknown[0]}; add --adapter ${unknown[0]}=PATH`,
        { combine: unknown[0] },
      );
    const { combination, combineRank: rank } = asked;
    const paths = Object.fromEntries(named.filter(([name]) => weights.some(([one]) => one === name)));
    return runs.map((run) => ({
      ...run,
      adapters: { paths, combine: Object.fromEntries(weights), combination, rank },
    }));
  }
  if (named.length === 0) return [...runs];
  return runs.flatMap((run) =>
    named.map(([name, path]) => ({
      ...run,
      name: named.length > 1 ? `${run.name} ${name}` : run.name,
      adapters: { paths: { [name]: path } },
    })),
  );
}

/** The name of the adapter in place of a run's own. */
export function adapterName({ adapters }: TrainedRun): string {
  return Object.keys(adapters?.paths ?? {}).join();
}

/** `withAdapters` of one run for one model. @throws UserError for several adapters that nothing combines, too. */
export function withOneAdapter<R extends TrainedRun>(run: R, asked: AskedAdapters): R {
  const runs = withAdapters([run], asked);
  if (runs.length === 1) return runs[0]!;
  throw new UserError(
    `--adapter: expected one, got ${runs.length}; name one, or say how they are combined (--combine)`,
    { adapter: asked.adapter },
  );
}
