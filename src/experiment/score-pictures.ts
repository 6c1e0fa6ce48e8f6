import { concatMap, defer, type Observable, toArray } from 'rxjs';
import { UserError } from '../base/errors.js';
import { say } from '../base/say.js';
import type { Pair } from '../data/types.js';
import type { TestScores } from '../loggers/summary.js';
import {
  type Counts,
  type PictureCounts,
  pictureCounts,
  pictureScores,
  sumOfCounts,
} from '../tasks/segmentation/metrics/picture-counts.js';
import type { Segmenter } from '../tasks/segmentation/segmenter.js';
import type { SegmentationRun } from './run-settings.js';
import type { TrainedRun } from './trained-runs.js';
import { type WholePictureOptions, wholePictures } from './whole-pictures.js';

/** What was counted of one picture. */
export interface CountedPicture<C extends Counts = Counts> {
  readonly stem: string;
  readonly counts: C;
}

/** The scores of a trained run, and how many samples they are of. */
export interface TestEvaluation {
  readonly test: TestScores;
  readonly images: number;
  /** What was counted of each picture, at the pictures' own resolution. */
  readonly pictures?: readonly CountedPicture[];
}

/**
 * Scores a run at its pictures' own resolution, by the counts of each.
 *
 * Pictures whose mask ignores every pixel are in no score; a line says how many.
 *
 * @throws UserError where no picture is left.
 */
export function scorePictures(
  pairs: readonly Pair[],
  model: Segmenter,
  run: TrainedRun<SegmentationRun>,
  { tolerance, ...options }: WholePictureOptions & { readonly tolerance?: number },
): Observable<TestEvaluation> {
  const { classes } = model.head;
  return defer(() => wholePictures(pairs, model, run, options)).pipe(
    concatMap(async (picture) => ({
      stem: picture.pair.stem,
      counts: pictureCounts(picture, picture.classes, { classes, tolerance }),
    })),
    toArray(),
    concatMap(async (all) => {
      const pictures = all.filter((one): one is CountedPicture<PictureCounts> => one.counts !== undefined);
      const ignored = all.filter(({ counts }) => counts === undefined).map(({ stem }) => stem);
      if (pictures.length === 0)
        throw new UserError(
          `${run.name}: expected a mask with a pixel of a class, got none: all of ${all.length} pictures are ignored; see --mask-ids`,
        );
      if (ignored.length > 0)
        say(
          `${run.name}: ${ignored.length} of ${all.length} pictures are not scored, since their masks ignore every pixel: ${ignored.slice(0, 3).join(', ')}${ignored.length > 3 ? ', …' : ''}`,
        );
      const sums = sumOfCounts(pictures.map(({ counts }) => counts));
      return { test: pictureScores(sums, classes), images: pictures.length, pictures };
    }),
  );
}
