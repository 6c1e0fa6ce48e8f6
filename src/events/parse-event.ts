import { z } from 'zod';
import type { Event } from './event.js';

/** JSON writes NaN and infinities as null. */
const figure = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const count = z.int().min(0);
const place = { time: z.number(), step: count, epoch: count };
const numbers = z.record(z.string(), z.number()).optional();
const pace = { images: count, seconds: figure, imagesPerSecond: figure, data: numbers, memory: numbers };

/** A score of any task: a number, a vector by class, or a matrix. */
const score = z.union([figure, z.array(z.number().nullable()), z.array(z.array(z.number()))]);
const scores = z.object({ loss: figure }).catchall(score);

const schemas = {
  run: z.looseObject({
    time: z.number(),
    run: z.string(),
    adapter: z.string(),
    adapterParameters: count,
    headParameters: count,
    engine: z.string(),
    precision: z.string(),
    seed: z.number(),
    epochs: count,
    batches: count,
    classes: z.array(z.string()),
    config: z.record(z.string(), z.unknown()),
    versions: z.record(z.string(), z.string()),
    earlierSeconds: z.number().optional(),
  }),
  step: z.looseObject({
    ...place,
    ...pace,
    batch: count,
    batches: count,
    loss: figure,
    learningRate: z.record(z.string(), figure),
    gradientNorm: figure,
  }),
  epoch: z.looseObject({ ...place, ...pace, loss: figure }),
  validation: z.looseObject({ ...place, split: z.string(), scores, images: count, seconds: figure }),
  picture: z.looseObject({ ...place, name: z.string(), path: z.string() }),
  weights: z.looseObject({
    ...place,
    histograms: z.record(
      z.string(),
      z.object({
        min: z.number(),
        max: z.number(),
        sum: z.number(),
        sumSquares: z.number(),
        counts: z.array(count),
      }),
    ),
  }),
  checkpoint: z.looseObject({ ...place, path: z.string(), best: z.boolean() }),
  trial: z.looseObject({
    time: z.number(),
    study: z.string(),
    number: count,
    state: z.enum(['RUNNING', 'COMPLETE', 'PRUNED', 'FAIL']),
    params: z.record(z.string(), z.unknown()),
    step: count.optional(),
    value: figure.optional(),
    values: z.array(figure).optional(),
  }),
  warning: z.looseObject({ time: z.number(), code: z.string(), message: z.string() }),
  done: z.looseObject({ ...place, reason: z.enum(['finished', 'early-stop', 'guard']), seconds: figure }),
} satisfies Record<Event['type'], z.ZodType>;

/** The event in a line of JSON, with NaN values restored; or what is wrong with it. */
export function parseEvent(json: string): Event | { readonly wrong: string } {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { wrong: json.length > 40 ? `${json.slice(0, 40)}…` : json };
  }
  const { type } = (value ?? {}) as { type?: unknown };
  if (typeof type !== 'string' || !Object.hasOwn(schemas, type))
    return { wrong: json.length > 40 ? `${json.slice(0, 40)}…` : json };
  const parsed = schemas[type as Event['type']].safeParse(value);
  if (parsed.success) return parsed.data as unknown as Event;
  const issue = parsed.error.issues[0]!;
  return { wrong: `a ${type} event with ${issue.path.join('.')}: ${issue.message}` };
}
