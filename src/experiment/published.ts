import { percentText } from '../files/tables.js';
import type { ComparedScore } from './comparison-plots.js';

/**
 * The share of the data or the style, the mean, and the population standard deviation if it was published.
 */
type Figure = readonly [at: number | string, mean: number, std?: number];

/**
 * The soft Dice that the study which this project re-imagines published for ViT-B/16 on the Oxford-IIIT Pet set, over
 * five seeds: in domain by share of the data, out of domain by style after training on all of it. Its adapters are not
 * of matched size.
 */
const PUBLISHED: Readonly<Record<string, Readonly<Record<'inDomain' | 'outOfDomain', readonly Figure[]>>>> = {
  lora: {
    inDomain: [
      [0.25, 0.7748, 0.0037],
      [0.5, 0.7304, 0.0787],
      [0.75, 0.7804, 0.0066],
      [1, 0.7787, 0.0017],
    ],
    outOfDomain: [
      ['candy', 0.544],
      ['mosaic', 0.269],
      ['rain_princess', 0.506],
      ['udnie', 0.656],
    ],
  },
  serial_lora: {
    inDomain: [
      [0.25, 0.7631, 0.0035],
      [0.5, 0.7643, 0.0079],
      [0.75, 0.7733, 0.0039],
      [1, 0.7606, 0.014],
    ],
    outOfDomain: [
      ['candy', 0.574],
      ['mosaic', 0.298],
      ['rain_princess', 0.536],
      ['udnie', 0.653],
    ],
  },
  localized_lora: {
    inDomain: [
      [0.25, 0.7785, 0.0077],
      [0.5, 0.7857, 0.0065],
      [0.75, 0.7945, 0.0026],
      [1, 0.7935, 0.0015],
    ],
    outOfDomain: [
      ['candy', 0.548],
      ['mosaic', 0.244],
      ['rain_princess', 0.452],
      ['udnie', 0.661],
    ],
  },
};

/** The published figures as scores to compare with. */
export function publishedScores(where: 'inDomain' | 'outOfDomain'): ComparedScore[] {
  return Object.entries(PUBLISHED).flatMap(([series, figures]) =>
    figures[where].map(([at, mean, std = null]) => ({
      series,
      source: 'published',
      place: typeof at === 'number' ? percentText(at) : at,
      mean,
      std,
    })),
  );
}
