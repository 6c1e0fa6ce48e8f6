import { UserError } from '../../../base/errors.js';
import { type Random, randomStream } from '../../../random/random-stream.js';
import { compose, IDENTITY } from '../../pixels/affine.js';
import { type Draft, drafted, draftOf } from '../../pixels/draft.js';
import { isAffine, type Move, moved } from '../../pixels/moved.js';
import { renderBytes } from '../../pixels/render.js';
import type { Values } from '../../pixels/values.js';
import type { Item, Sample } from '../../types.js';
import { isDeep, type Transform } from './augmentation.js';

/** A sample with a mask, which moves with the image, or without one. */
export type MaybeMasked = Sample<Item> & { readonly mask?: Uint8Array };

/**
 * Applies transforms to one sample: all geometric ones as one map for the image (bilinear, black outside) and the
 * mask (nearest, 255 outside), then the photometric ones in order. A joint transform sees what those before it have
 * done, and those after it begin with its result. The sample that it is given stays as it was.
 *
 * Each transform draws from its own stream, keyed by (seed, its place and name, epoch, index): a sample is augmented
 * alike wherever in a run it comes up, and adding a transform at the end changes no other's draws.
 *
 * @throws UserError for a sample that is normalised already: transforms are defined on bytes.
 */
export async function augmentSample<S extends MaybeMasked>(
  sample: S,
  transforms: readonly Transform[],
): Promise<S> {
  const { seed, epoch, index } = sample.plan;
  const stream: Stream = (path) => randomStream(seed, 'augment', ...path, epoch, index);
  const unread = draftOf(sample);
  let draft = unread && !unread.tables ? unread : ofValues(sample);
  for (const stage of stages(drawn(transforms, [], stream))) draft = await applied(stage, draft);
  if (unread) return drafted(sample, draft);
  // The bytes of a sample that a user made may change before they are needed: they are read now.
  const { image, mask } = await renderBytes(draft);
  return { ...sample, image, ...(mask && { mask }) };
}

/** The values that a transform may change. @throws UserError for 16-bit values of one that needs RGB bytes. */
function takenBy(transform: Transform, image: Values): Uint8Array {
  if (image instanceof Uint8Array) return image;
  // What is deep was written for all values, which its type no longer says here.
  if (isDeep(transform)) return image as unknown as Uint8Array;
  const { name } = transform;
  throw new UserError(
    `augment: expected transforms that take 16-bit values of any channels, got ${name}, which needs RGB bytes`,
    { name },
  );
}

/** The values of a sample that is no draft. @throws UserError where they are floats. */
function ofValues({ width, height, image: values, mask }: MaybeMasked): Draft {
  const image: Values | Float32Array = values;
  if (!(image instanceof Float32Array)) return { width, height, image, mask, edits: [] };
  throw new UserError('augment: expected bytes, got a normalised image; put augment(…) before normalize(…)');
}

/** The random stream of a transform, by its place and name, those of the list that it is in before it. */
type Stream = (path: readonly (string | number)[]) => Random;

/** A transform that is applied, with its stream. */
type Step = readonly [transform: Exclude<Transform, { readonly choose: unknown }>, random: Random];

/** The transforms that are applied, by chance and choice. */
function drawn(transforms: readonly Transform[], path: readonly (string | number)[], stream: Stream): Step[] {
  return transforms.flatMap((entry, place): Step[] => {
    const own = [...path, place, entry.name];
    const random = stream(own);
    if (random() >= entry.p) return [];
    let transform = entry;
    while ('choose' in transform) {
      const chosen = transform.choose(random);
      if ('length' in chosen) return drawn(chosen, own, stream);
      transform = chosen;
    }
    return [[transform, random]];
  });
}

/** What is done to a picture at once: one map, then colours, then at most one joint change. */
interface Stage {
  readonly moves: Step[];
  readonly colours: Step[];
  readonly joint?: Step;
}

function stages(steps: readonly Step[]): Stage[] {
  const result: Stage[] = [];
  let current: Stage = { moves: [], colours: [] };
  for (const step of steps) {
    if ('joint' in step[0]) {
      result.push({ ...current, joint: step });
      current = { moves: [], colours: [] };
    } else ('geometric' in step[0] ? current.moves : current.colours).push(step);
  }
  return current.moves.length + current.colours.length > 0 || result.length === 0
    ? [...result, current]
    : result;
}

/** Adds a stage to what is to be done; what only JavaScript can do is done now. */
async function applied({ moves, colours, joint }: Stage, before: Draft): Promise<Draft> {
  const { width, height } = before;
  let draft = await movedDraft(before, moves);
  for (const [transform, random] of colours) {
    if (!('photometric' in transform)) continue;
    if (transform.edit && draft.image instanceof Uint8Array) {
      draft = { ...draft, edits: [...draft.edits, transform.edit(random, { width, height })] };
      continue;
    }
    const { image, mask } = await renderBytes(draft);
    await transform.photometric({ width, height, image: takenBy(transform, image) }, random);
    draft = { width, height, image, mask, edits: [] };
  }
  if (!joint) return draft;
  const [transform, random] = joint;
  if ('joint' in transform && transform.edit && draft.image instanceof Uint8Array)
    return { ...draft, edits: [...draft.edits, transform.edit(random, { width, height })] };
  const { image, mask } = await renderBytes(draft);
  // Not `slice`, which is a view where the bytes are a Node Buffer.
  const changed = {
    width,
    height,
    image: takenBy(transform, image),
    ...(mask && { mask: new Uint8Array(mask) }),
  };
  if ('joint' in transform) await transform.joint(changed, random);
  return { ...changed, edits: [] };
}

/** Adds moves as one: those that are data as such, others at once. */
async function movedDraft(draft: Draft, moves: readonly Step[]): Promise<Draft> {
  const { width, height } = draft;
  if (moves.length === 0) return draft;
  const maps = moves.map(([transform, random]): Move => {
    if (!('geometric' in transform)) throw new Error(`${transform.name} is not geometric`);
    return transform.geometric(random, width / height, width);
  });
  if (maps.every(isAffine))
    return { ...draft, edits: [...draft.edits, { kind: 'warp', map: maps.reduce(compose, IDENTITY) }] };
  if (maps.every((map) => typeof map !== 'function'))
    return { ...draft, edits: [...draft.edits, { kind: 'moves', maps }] };
  const { image, mask } = await renderBytes(draft);
  return { width, height, ...moved({ width, height, image, ...(mask && { mask }) }, maps), edits: [] };
}
