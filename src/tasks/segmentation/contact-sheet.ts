import { shownBytes } from '../../data/images/pictures.js';
import type { MaskedSample } from '../../data/types.js';
import { fit, GAP, LINE, label, type Panel, writeSheet } from '../sheet.js';
import { blend } from './blend.js';
import { legendOf } from './overlays.js';

/** Samples in a row of the sheet, each beside its mask. */
const ACROSS = 4;

/**
 * Writes samples as a model sees them, each beside its mask over it in grey, and the classes' colours below.
 *
 * @param colours a colour for each class, as `#rrggbb`, such as `classColours` gives; default: distinct ones
 */
export async function writeContactSheet(
  path: string,
  samples: readonly MaskedSample[],
  classes: readonly string[],
  colours?: readonly string[],
): Promise<void> {
  const { width, height } = samples[0]!;
  const columns = Math.min(ACROSS, samples.length);
  const sheetWidth = columns * (2 * width + GAP) + GAP;
  const place = (i: number) => ({
    left: GAP + (i % ACROSS) * (2 * width + GAP),
    top: LINE + Math.floor(i / ACROSS) * (height + LINE),
  });
  const panels = samples.flatMap(({ image: values, mask }, i): Panel[] => {
    const image = shownBytes({ width, height, image: values });
    const { left, top } = place(i);
    return [
      { image, width, height, left, top },
      { image: blend(image, mask, colours), width, height, left: left + width, top },
    ];
  });
  const titles = samples.map(({ plan }, i) => {
    const { left, top } = place(i);
    return label(left, top - GAP / 2, fit(plan.item.stem, 2 * width));
  });
  const bottom = LINE + Math.ceil(samples.length / ACROSS) * (height + LINE);
  const { svg, lines } = legendOf(classes, sheetWidth, colours);
  const sheet = { width: sheetWidth, height: bottom + lines * LINE + GAP };
  await writeSheet(
    path,
    sheet,
    panels,
    [...titles, `<g transform="translate(0 ${bottom})">${svg}</g>`].join(''),
  );
}
