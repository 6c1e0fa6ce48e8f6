import { UserError } from '../base/errors.js';
import { type MetricAbout, metrics } from './metric.js';
import type { Score } from './scores.js';

/** Scores by name; a summary's are without a loss. */
export type NamedScores = Readonly<Record<string, Score>>;

type Vector = readonly (number | null)[];
type Matrix = readonly (readonly number[])[];

/** The most scores that fit into a line of text or a plot. */
const LEADING = 3;

/** The label and the direction of a score: as registered in `metrics`, or else from its name. */
export function aboutScore(name: string): MetricAbout {
  return metrics.has(name) ? metrics.get(name) : { label: name, mode: 'max' };
}

/** The scores that are numbers, in their order. */
export function numbersOf(scores: NamedScores): [name: string, value: number][] {
  return Object.entries(scores).filter((entry): entry is [string, number] => !Array.isArray(entry[1]));
}

/** A score that is a number. @throws UserError that lists the scores, where none of that name is one. */
export function numberOf(scores: NamedScores, name: string): number {
  const value = scores[name];
  if (typeof value === 'number') return value;
  const names = numbersOf(scores).map(([one]) => one);
  throw new UserError(`scores: expected ${name}, got ${names.join(', ') || 'none'}`, { name });
}

/** The scores that are vectors by class, in their order. */
export function vectorsOf(scores: NamedScores): [name: string, values: Vector][] {
  return Object.entries(scores).filter(
    (entry): entry is [string, Vector] => Array.isArray(entry[1]) && !Array.isArray(entry[1][0]),
  );
}

/** The scores that are matrices, in their order. */
export function matricesOf(scores: NamedScores): [name: string, rows: Matrix][] {
  return Object.entries(scores).filter(
    (entry): entry is [string, Matrix] => Array.isArray(entry[1]) && Array.isArray(entry[1][0]),
  );
}

/**
 * The names of the scores that progress and plots show: the first three numbers that rise.
 *
 * @example
 * leadingScores({ loss: 0.1, accuracy: 0.9, topK: 1, f1: [0.8, 1] }); // => ['accuracy', 'topK']
 */
export function leadingScores(scores: NamedScores): string[] {
  return numbersOf(scores)
    .map(([name]) => name)
    .filter((name) => aboutScore(name).mode === 'max')
    .slice(0, LEADING);
}

/** A score's name as it appears in files: `softDice` as `soft_dice`. */
export function snakeCase(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
}

/** A score's name in metrics.csv, after `val_`, and in the names of plots. */
export function columnOf(name: string): string {
  return aboutScore(name).column ?? snakeCase(name);
}
