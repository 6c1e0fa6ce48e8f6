import { z } from 'zod';
import { UserError } from '../base/errors.js';
import { DEFAULT_HEAD } from '../model/heads/heads.js';
import type { Loss } from '../model/loss.js';
import { lossSum, lossTerms } from '../tasks/segmentation/losses/loss-sum.js';
import { losses } from '../tasks/segmentation/losses/losses.js';
import { givenLoss } from './class-weights.js';

/** Flags of a segmentation's loss, beside `--class-weights`. */
export const segmentationLossFlags = {
  loss: z
    .string()
    .superRefine((text, context) => {
      try {
        lossTerms(text);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        context.addIssue({ code: 'custom', message: error.message.replace(/^loss: /, '') });
      }
    })
    .meta({
      get expects() {
        return `one of ${losses.names.join(', ')}, or a sum`;
      },
    } as never)
    .default('log-cosh-dice')
    .describe(
      'loss to minimise, or a sum with factors such as dice+cross-entropy+0.01*boundary; with --head mask set unless it is given',
    ),
  labelSmoothing: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe(
      'share of the target of cross-entropy that is spread evenly over all classes, such as 0.1; default: none',
    ),
  ohem: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe(
      'online hard example mining: cross-entropy of this share of the pixels alone, those with the largest losses; default: all pixels',
    ),
  deepSupervision: z
    .number()
    .gt(0)
    .optional()
    .describe(
      'deep supervision: factor of the mean loss of auxiliary heads on three earlier blocks, such as 0.4; default: none',
    ),
};

/** The settings of what a loss reads. */
interface HeadSettings {
  readonly head?: string | undefined;
  readonly deepSupervision?: number | undefined;
}

/** The settings of a segmentation's loss. */
export interface SegmentationLossSettings {
  readonly loss: string;
  readonly labelSmoothing?: number | undefined;
  readonly ohem?: number | undefined;
}

/**
 * Refuses a loss of queries where nothing says any.
 *
 * @throws UserError for a head without queries, and for auxiliary heads, which have none.
 */
export function checkQueries(
  { loss, head, deepSupervision }: SegmentationLossSettings & HeadSettings,
  { saysQueries }: { readonly saysQueries: boolean },
): void {
  if (!lossTerms(loss).some(({ name }) => name === 'set')) return;
  if (!saysQueries)
    throw new UserError(
      `--loss ${loss}: expected a head that says queries, such as --head mask, got --head ${head ?? DEFAULT_HEAD}`,
      { loss, head },
    );
  if (deepSupervision !== undefined)
    throw new UserError(
      `--loss ${loss}: expected no auxiliary heads, which say no queries, got --deep-supervision ${deepSupervision}; leave it out, or give another loss, such as --loss dice+cross-entropy`,
      { loss, deepSupervision },
    );
}

/**
 * The loss of the settings, given the weights of the classes.
 *
 * @throws UserError where no term of the loss reads an option that is given.
 */
export function segmentationLoss(
  { loss, labelSmoothing: smoothing, ohem: hardest }: SegmentationLossSettings,
  weights: readonly number[] | undefined,
): Loss {
  return givenLoss((options) => lossSum(loss, options), loss, { weights, smoothing, hardest });
}
