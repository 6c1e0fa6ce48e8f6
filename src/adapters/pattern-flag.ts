import { z } from 'zod';
import type { Patterns } from './patterns.js';

const WANTED = 'expected name:value pairs, such as query:8,layers.0.value:2';

/** A flag of values for some maps: pairs `name:value`, or in a file `{ query: 8 }`; runs record the latter. */
export function patternFlag(what: string): z.ZodType<Patterns | undefined, unknown> {
  return z
    .union([z.array(z.string()), z.record(z.string(), z.number())], { error: () => WANTED })
    .transform((value, context): Patterns => {
      if (!Array.isArray(value)) return value;
      const pairs = value.map((text) => {
        const at = text.lastIndexOf(':');
        return [text.slice(0, at).trim(), Number(text.slice(at + 1))] as const;
      });
      if (pairs.every(([name, number]) => name !== '' && Number.isFinite(number)))
        return Object.fromEntries(pairs);
      context.addIssue({ code: 'custom', message: WANTED });
      return z.NEVER;
    })
    .optional()
    .meta({
      single: true,
      expects: 'name:value pairs',
      description: `other ${what} for some maps, such as query:8,layers.0.value:2; default: none`,
    });
}
