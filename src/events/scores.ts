/** A score of a split: a number, a vector by class (null where a class does not occur), or a matrix. */
export type Score = number | readonly (number | null)[] | readonly (readonly number[])[];

/**
 * The scores of a split by name, as plain data. Which there are besides the loss is the task's; those that matter most
 * come first.
 *
 * A task's own scores are a type alias, not an interface, so that they are assignable to this.
 */
export interface Scores {
  readonly loss: number;
  readonly [name: string]: Score;
}

/**
 * The names of the scores that a run can follow: numbers, and vectors by their mean. Any name, where none are known.
 */
export type MetricName<S extends Scores> = NameOf<S, number | readonly (number | null)[]>;

/** The names of those scores that are numbers. */
export type NumberName<S extends Scores> = NameOf<S, number>;

type NameOf<S extends Scores, Kind> = string extends keyof S
  ? string
  : { [Name in keyof S]: S[Name] extends Kind ? Name : never }[keyof S] & string;

/** The scores of the validations in a stream of events. */
export type ScoresIn<E> = [Extract<E, { readonly type: 'validation' }>] extends [
  { readonly scores: infer S extends Scores },
]
  ? S
  : Scores;
