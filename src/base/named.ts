import { didYouMean } from './did-you-mean.js';
import { UserError } from './errors.js';

/** A built-in name, which editors complete, or one that was registered. */
export type Name<K extends string> = K | (string & {});

/** Things by the names that configurations, flags and checkpoints use. */
export interface Named<K extends string, T> {
  /** The word for one of them in messages, such as `loss`. */
  readonly what: string;
  /** All current names: the built-in ones, then the registered ones in order of registration. */
  readonly names: readonly Name<K>[];
  /** Whether something has this name. */
  has(name: string): boolean;
  /** @throws UserError that lists the names and says which one is nearest. */
  get(name: Name<K>): T;
  /** Calls the function of this name. @throws UserError as `get` does. */
  make: T extends (...args: infer A) => infer R ? (name: Name<K>, ...args: A) => R : never;
  /**
   * Adds one under a new name, which flags and checkpoints then accept. The same one twice is fine.
   *
   * @throws UserError where another one has the name, or where it could not be typed as a flag.
   */
  register(name: string, value: T): void;
}

/** Calls of `register`; see `registrations`. */
let count = 0;

/**
 * How often something was registered in this process: a plugin that registers nothing leaves it unchanged.
 */
export function registrations(): number {
  return count;
}

/**
 * A catalogue of things by name: one for each kind that a user can choose by name or add to.
 *
 * @example
 * const shapes = named('shape', { circle: (r: number) => Math.PI * r * r, square: (a: number) => a * a });
 * shapes.make('square', 3); // => 9
 * shapes.register('line', () => 0);
 * shapes.names; // => ['circle', 'square', 'line']
 * // shapes.make('squar', 3) throws shape: expected one of circle, square, line, got "squar"; did you mean square?
 */
export function named<K extends string, T>(what: string, table: Readonly<Record<K, T>>): Named<K, T> {
  const values = new Map<string, T>(Object.entries(table) as [string, T][]);
  const get = (name: string): T => {
    if (values.has(name)) return values.get(name)!;
    const names = [...values.keys()];
    throw new UserError(
      `${what}: expected one of ${names.join(', ')}, got "${name}"${didYouMean(String(name), names)}`,
      { name },
    );
  };
  const make = (name: string, ...args: unknown[]) => (get(name) as (...args: unknown[]) => unknown)(...args);
  return {
    what,
    get names() {
      return [...values.keys()] as Name<K>[];
    },
    has: (name) => values.has(name),
    get,
    make: make as Named<K, T>['make'],
    register: (name, value) => {
      if (!/^[\w-][\w.-]*$/.test(name))
        throw new UserError(`${what}: expected a name of letters, digits, "_", "-" and ".", got "${name}"`, {
          name,
        });
      if (values.has(name) && values.get(name) !== value)
        throw new UserError(`${what}: expected a new name, got "${name}", which another ${what} has`, {
          name,
        });
      values.set(name, value);
      count++;
    },
  };
}
