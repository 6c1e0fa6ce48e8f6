import { z } from 'zod';
import type { AdapterKind, AdapterSettings } from '../adapters/adapter-kind.js';
import { adapterKind, adapters } from '../adapters/adapters.js';
import { type LateFlags, nameIn, readUnless, type WhyUnread } from '../cli/flag.js';
import { flagsOf } from './adapter-flags.js';

/** The names of what a study compares: adapters, the head alone, and all weights without an adapter. */
export const comparedFlag = z.array(nameIn(adapters, ['head', 'full'])).min(1);

/** The names of adapters alone. */
export const adaptersFlag = z.array(nameIn(adapters)).min(1);

/**
 * The flags of several adapters for one command line, without those that the study has `taken`. What is not given is left
 * to each adapter's default; a flag that several have is that of the first.
 */
export function comparedFlags(names: readonly string[], taken: readonly string[]): LateFlags {
  const flags: Record<string, z.ZodType> = {};
  for (const name of names.filter((each) => adapters.has(each)))
    for (const [key, type] of Object.entries(adapterKind(name).flags) as [string, z.ZodType][])
      if (key !== 'loraType' && !taken.includes(key)) flags[key] ??= withoutDefault(type);
  return flags;
}

/** Flags that a study gives to those of its adapters (`--lora-type`) that have them. */
export function sizeFlags<F extends Readonly<Record<string, z.ZodType>>>(flags: F): F {
  const unlessOneHas =
    (key: string): WhyUnread =>
    ({ loraType }) => {
      const names = Array.isArray(loraType) ? (loraType as string[]) : [];
      const kinds = names.filter((name) => adapters.has(name)).map(adapterKind);
      return kinds.some((kind) => key in kind.flags)
        ? undefined
        : `--lora-type ${names.join()} has no such size`;
    };
  const types = Object.entries(flags).map(([key, type]) => [key, readUnless(type, unlessOneHas(key))]);
  return Object.fromEntries(types) as F;
}

/**
 * The settings of a training in a study: those that all trainings share, and of the adapters' flags those that this one
 * has, as `sized` changes them.
 */
export function comparedSettings(
  name: string,
  shared: object,
  sized: (kind: AdapterKind, own: AdapterSettings) => AdapterSettings = (_kind, own) => own,
): Readonly<Record<string, unknown>> {
  const flagNames = new Set(adapters.names.flatMap((each) => Object.keys(adapterKind(each).flags)));
  const others = Object.fromEntries(Object.entries(shared).filter(([key]) => !flagNames.has(key)));
  if (!adapters.has(name)) return { ...others, mode: name };
  const kind = adapterKind(name);
  return { ...others, ...sized(kind, flagsOf(kind.flags, shared)), loraType: name };
}

function withoutDefault(type: z.ZodType): z.ZodType {
  const bare = type instanceof z.ZodDefault ? (type.unwrap() as z.ZodType) : type;
  const text = type.description ?? bare.description ?? '';
  return bare.optional().describe(/default:/.test(text) ? text : `${text}; default: the adapter's`);
}
