import { z } from 'zod';
import { flagTable } from './flag.js';
import { general } from './flags.js';
import { readRawValues, valueFor } from './raw-values.js';

/**
 * Reads some flags of a command line and of its config file while the others are not yet known, such as those that say
 * which flags there are.
 *
 * @throws UserError for a value that its flag does not take.
 */
export type Peek = <S extends z.ZodRawShape>(shape: S) => z.output<z.ZodObject<S>>;

/**
 * The `Peek` at a command line.
 *
 * @example
 * const peek = peekAt(['--adapter', 'dora', '--rank', '8']);
 * peek({ adapter: z.string().default('lora') }); // => { adapter: 'dora' }
 */
export function peekAt(argv: readonly string[]): Peek {
  return <S extends z.ZodRawShape>(shape: S) => {
    const others = Object.entries(general.General).filter(([key]) => !(key in shape));
    const table = flagTable({ Peek: shape, General: Object.fromEntries(others) });
    const raw = readRawValues(argv, table, 'some');
    const read = [...table.values()].filter(({ group }) => group === 'Peek');
    const values = read.map((flag) => {
      const { value, where } = raw.of(flag);
      return [flag.key, valueFor(flag, value, where)];
    });
    return Object.fromEntries(values) as z.output<z.ZodObject<S>>;
  };
}
