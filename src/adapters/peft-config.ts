import { z } from 'zod';
import { UserError } from '../base/errors.js';
import { oneLine } from '../base/printable.js';
import type { Json } from '../files/json-file.js';
import type { Adapter, AdapterOptions } from '../model/adapter.js';

/** The names of adapted maps in the Python model, by our names of them. */
export type PeftModules = ReadonlyMap<string, readonly string[]>;

/** Makes an adapter from PEFT's settings of it. */
export interface PeftReader {
  readonly read: (config: unknown, where: AdapterOptions, modules: PeftModules) => Adapter;
  /** The settings that `read` understands or checks. */
  readonly fields: () => readonly string[];
}

/**
 * Settings about the origin or the initialisation of an adapter, or about its maps, which its tensors show.
 */
const HARMLESS = new Set([
  'auto_mapping',
  'base_model_name_or_path',
  'corda_config',
  'eva_config',
  'exclude_modules',
  'fan_in_fan_out',
  'inference_mode',
  'layers_pattern',
  'layers_to_transform',
  'loftq_config',
  'lora_ga_config',
  'megatron_core',
  'peft_version',
  'qalora_group_size',
  'revision',
  'target_modules',
  'task_type',
]);

/** Heads, which are read, and poolers, which touch no token. */
const SAVED_MODULE = /^(.*\.)?(head|classifier|pooler|pooler\.dense)$/;

const shared = z.object({
  modules_to_save: z
    .array(
      z.string().regex(SAVED_MODULE, {
        error: ({ input }) =>
          `expected head or classifier alone, since other parts of the model belong to the base weights, got ${input}`,
      }),
    )
    .nullish(),
});

/**
 * Parses adapter_config.json, undefined where there is none; the result makes the adapter when its place is known.
 *
 * A setting that is not understood must have no value (null, false, empty): any other could change what is computed.
 *
 * @throws UserError naming the file and the setting.
 */
export function parsePeftConfig(
  path: string,
  config: Json | undefined,
  readers: Readonly<Record<string, PeftReader>>,
): (where: AdapterOptions, modules: PeftModules) => Adapter {
  const fail = (text: string, cause?: unknown) =>
    new UserError(`${path}: ${oneLine(text)}`, { path }, { cause });
  if (!config)
    throw fail(
      'expected an adapter that PEFT saved, got nothing there; a named adapter is in a folder of its own name',
    );
  const parsing = <T>(parse: () => T): T => {
    try {
      return parse();
    } catch (cause) {
      const issue = cause instanceof z.ZodError ? cause.issues[0] : undefined;
      if (issue)
        throw fail(
          `${issue.path.filter((part) => typeof part === 'string').join('.')}: ${issue.message}`,
          cause,
        );
      throw cause instanceof UserError ? fail(cause.message, cause) : cause;
    }
  };
  parsing(() => shared.parse(config));
  const type = parsing(() => z.object({ peft_type: z.enum(Object.keys(readers)) }).parse(config)).peft_type;
  const reader = readers[type]!;
  const understood = new Set([...HARMLESS, ...Object.keys(shared.shape), 'peft_type', ...reader.fields()]);
  for (const [name, value] of Object.entries(config))
    if (!understood.has(name) && !isEmpty(value))
      throw fail(`${name}: expected no such setting, which is not supported, got ${JSON.stringify(value)}`);
  return (where, modules) => parsing(() => reader.read(config, where, modules));
}

function isEmpty(value: unknown): boolean {
  return value === null || value === false || (typeof value === 'object' && Object.keys(value).length === 0);
}
