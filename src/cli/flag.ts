import { z } from 'zod';
import { UserError } from '../base/errors.js';
import type { Name } from '../base/named.js';

/** A table of flags by group: group title → name in camelCase → zod type with a description and a default. */
export type FlagGroups = Readonly<Record<string, z.ZodRawShape>>;

/** Flags that a plugin or another flag decides on: no type knows them, and their values are found in the config by name. */
export type LateFlags = Record<never, z.ZodType>;

type Intersection<U> = (U extends unknown ? (value: U) => void : never) extends (value: infer I) => void
  ? I
  : never;

/** The values of the flags of all groups, as one flat object. */
export type Config<G extends FlagGroups> = z.output<
  z.ZodObject<Extract<Intersection<G[keyof G]>, z.ZodRawShape>>
>;

/** The part of JSON Schema that describes a flag's type. */
export interface FlagSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly items?: FlagSchema;
  readonly anyOf?: readonly FlagSchema[];
  /** What it takes, in words, where the rest of the schema does not tell. */
  readonly expects?: string;
  /** One value, though a list: where the flag is repeated, the last one counts, and they do not add up. */
  readonly single?: boolean;
  /** Whether words without a flag are its values, as in `compare A B`; of one flag alone. */
  readonly words?: boolean;
  /** Whether it only says how others are read: no recipe sees it, and no run records it. */
  readonly transient?: boolean;
  /** Why the flag is accepted without effect; see `ignored`. */
  readonly ignored?: string;
}

/**
 * A flag from another program's command lines that has no meaning here: its value is discarded, and a line on
 * standard error says why.
 *
 * @example
 * const flags = { Adapter: { rBlock: ignored('LoRA has no blocks') } };
 */
export function ignored(why: string): z.ZodOptional<z.ZodString> {
  return z
    .string()
    .optional()
    .meta({ ignored: why, description: `ignored: ${why}` });
}

/** Why a flag has no effect beside the values of the others; undefined where it has one. */
export type WhyUnread = (config: Readonly<Record<string, unknown>>) => string | undefined;

const unread = z.registry<{ readonly why: WhyUnread }>();

/**
 * A flag that some values of other flags leave without an effect. Where it is given all the same, a line on standard error
 * says so: on the command line, or in a config file with another value than its default.
 *
 * @example
 * const flags = {
 *   Training: {
 *     momentum: readUnless(z.number().default(0.9), ({ optimizer }) => (optimizer === 'adam' ? 'adam has none' : undefined)),
 *   },
 * };
 */
export function readUnless<T extends z.ZodType>(type: T, why: WhyUnread): T {
  const marked = z.core.clone(type, undefined, { parent: true });
  unread.add(marked, { why });
  return marked;
}

/**
 * A flag that takes a name from a catalogue. Names are looked up when the command line is read, and so is what the
 * help lists: what a plugin registered counts. `first` are names that mean something to the flag and are not in the
 * catalogue.
 *
 * @example
 * const flags = { Training: { loss: nameIn(losses).default('focal').describe('loss to minimise') } };
 */
export function nameIn<K extends string, F extends string = never>(
  catalogue: { readonly names: readonly Name<K>[] },
  first: readonly F[] = [],
): z.ZodType<Name<K | F>, Name<K | F>> {
  const names = () => [...new Set<string>([...first, ...catalogue.names])];
  const type = z
    .string()
    .refine((name) => names().includes(name), { error: () => `expected one of ${names().join(', ')}` });
  const meta = {
    get enum() {
      return names();
    },
  };
  return type.meta(meta as never) as unknown as z.ZodType<Name<K | F>, Name<K | F>>;
}

/** A list whose members differ; `what` names one of them. */
export function unique<T extends z.ZodType>(list: z.ZodArray<T>, what: string): z.ZodArray<T> {
  return list.refine((values) => new Set(values).size === values.length, `expected each ${what} once`);
}

/** One flag: `key` in the config, `name` on the command line without the leading dashes. */
export interface Flag {
  readonly key: string;
  readonly name: string;
  readonly group: string;
  readonly type: z.ZodType;
  readonly schema: FlagSchema;
  readonly required: boolean;
  /** See `readUnless`. */
  readonly whyUnread: WhyUnread | undefined;
}

/**
 * Normalises a flag's spelling: `blockRank`, `block_rank` and `block-rank` are one flag, which messages spell the
 * last way.
 */
export function flagName(key: string): string {
  return key
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();
}

/** The values that a flag's value gives to other flags, where neither the command line nor a config file does. */
export type Defaults = (value: unknown) => {
  /** What messages call the place that they come from. */
  readonly from: string;
  /** By the keys of the flags; those that a table has not are passed over. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Whether a line says that a value was given otherwise. Default false. */
  readonly notes?: boolean;
};

/** What a flag gives to others: the `defaults` of its `meta`. */
export function defaultsOf({ type }: Flag): Defaults | undefined {
  return type.meta()?.['defaults'] as Defaults | undefined;
}

/** The flag that takes words without a flag, if one does. */
export function wordsFlag(table: ReadonlyMap<string, Flag>): Flag | undefined {
  return [...table.values()].find(({ schema }) => schema.words);
}

/** The flags of a table, by name, in its order. */
export function flagTable(groups: FlagGroups): Map<string, Flag> {
  const table = new Map<string, Flag>();
  for (const [group, shape] of Object.entries(groups)) {
    const json = z.toJSONSchema(z.object(shape), { io: 'input' }) as {
      properties: Record<string, FlagSchema>;
      required?: string[];
    };
    for (const [key, type] of Object.entries(shape)) {
      const name = flagName(key);
      const other = table.get(name);
      if (other)
        throw new UserError(
          `flag --${name} is declared twice, in ${other.group} and in ${group}; rename one`,
          { flag: name },
        );
      const schema = json.properties[key]!;
      const required = json.required?.includes(key) ?? false;
      const whyUnread = unread.get(type as z.ZodType)?.why;
      table.set(name, { key, name, group, type: type as z.ZodType, schema, required, whyUnread });
    }
  }
  return table;
}

/** The values that a flag takes, in words: `an integer from 1 up`, `one of lora, serial`. */
export function expected(schema: FlagSchema): string {
  if (schema.expects !== undefined) return schema.expects;
  if (schema.const !== undefined) return String(schema.const);
  if (schema.enum) return `one of ${schema.enum.join(', ')}`;
  if (schema.anyOf) return schema.anyOf.map(expected).join(' or ');
  if (schema.type === 'boolean') return 'true or false';
  if (schema.type === 'integer') return `an integer${range(schema)}`;
  if (schema.type === 'number') return `a number${range(schema)}`;
  if (schema.type === 'array') return `a comma-separated list, each ${expected(schema.items ?? {})}`;
  return schema.pattern === undefined ? 'text' : `text that matches ${schema.pattern}`;
}

function range({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: FlagSchema): string {
  const low = minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined;
  const high = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  if (low !== undefined && high !== undefined) return ` from ${low} to ${high}`;
  const parts: string[] = [];
  if (exclusiveMinimum !== undefined) parts.push(`above ${exclusiveMinimum}`);
  if (low !== undefined) parts.push(`from ${low} up`);
  if (exclusiveMaximum !== undefined) parts.push(`below ${exclusiveMaximum}`);
  if (high !== undefined) parts.push(`at most ${high}`);
  return parts.length === 0 ? '' : ` ${parts.join(' and ')}`;
}

/**
 * Converts a word of the command line for validation by the flag's type: a word that is not a number stays a string,
 * which the type then refuses. `25%` is .25 for a flag that takes a fraction. An empty word is the empty list, but
 * where items are texts that may not be empty: an unset variable in `--list "$LIST"` is not to mean all.
 */
export function valueOf(word: string, schema: FlagSchema): unknown {
  if (schema.anyOf) {
    if (schema.anyOf.some((option) => option.enum?.includes(word))) return word;
    const values = schema.anyOf.map((option) => valueOf(word, option));
    return values.find((value) => typeof value !== 'string') ?? word;
  }
  if (schema.type === 'boolean') {
    if (/^(true|yes|1)$/i.test(word)) return true;
    return /^(false|no|0)$/i.test(word) ? false : word;
  }
  if (schema.type === 'array') {
    const items = schema.items ?? {};
    if (items.type === 'object') return word;
    return word === '' && !items.minLength ? [] : word.split(',').map((part) => valueOf(part.trim(), items));
  }
  if (schema.type === 'integer' || schema.type === 'number') {
    const percent = schema.type === 'number' && word.endsWith('%');
    const digits = percent ? word.slice(0, -1) : word;
    if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(digits)) return word;
    return percent ? Number(digits) / 100 : Number(digits);
  }
  return word;
}
