import { UserError } from '../base/errors.js';
import { backend } from '../base/tfjs-core.js';

/** What a dynamic loss scale begins with, and how often it grows. */
export interface LossScaling {
  /** The first scale. Default 65536. */
  readonly initial?: number;
  /** The number of good steps in a row after which the scale doubles. Default 2000. */
  readonly growthInterval?: number;
}

/** A loss scale and the good steps since it last changed: numbers of `Training.state`, which a checkpoint keeps. */
export type LossScale = { readonly scale: number; readonly good: number };

/** At this scale a gradient beyond f16 is one of a loss beyond f16, and no scale helps. */
const LEAST = 1;

/**
 * The scaling of a training's loss: the one asked for, or where the engine computes in f16 the default; else none.
 *
 * @throws UserError for a scale below 1 and an interval that is no integer from 1 up.
 */
export function lossScalingOf(asked: LossScaling | undefined): Required<LossScaling> | undefined {
  const { precision } = backend() as { readonly precision?: string };
  if (!asked && precision !== 'f16') return undefined;
  const { initial = 65_536, growthInterval = 2000 } = asked ?? {};
  if (!(initial >= LEAST && Number.isFinite(Math.fround(initial))))
    throw new UserError(`lossScale: expected an initial scale from ${LEAST} up, got ${initial}`, { initial });
  if (!Number.isInteger(growthInterval) || growthInterval < 1)
    throw new UserError(`lossScale: expected a growthInterval from 1 up, got ${growthInterval}`, {
      growthInterval,
    });
  return { initial, growthInterval };
}

/**
 * The scale of the next step: half after gradients that were not finite, twice after `growthInterval` good steps in a
 * row, as long as f32 holds it (the rule of torch.amp.GradScaler).
 *
 * @throws UserError where it would fall below 1: then the model, not the scale, leaves f16.
 */
export function nextLossScale(
  { scale, good }: LossScale,
  finite: boolean,
  growthInterval: number,
): LossScale {
  if (!finite) {
    if (scale / 2 >= LEAST) return { scale: scale / 2, good: 0 };
    throw new UserError(
      `the loss scale fell to ${scale} and the gradients are still not finite: expected gradients that f16 holds (up to 65504); use --precision bf16 or f32, or a lower learning rate`,
      { scale },
    );
  }
  if (good + 1 < growthInterval) return { scale, good: good + 1 };
  return { scale: Number.isFinite(Math.fround(2 * scale)) ? 2 * scale : scale, good: 0 };
}
