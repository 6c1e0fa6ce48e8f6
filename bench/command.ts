import type { Config, FlagGroups } from '../src/cli/flag.js';

/** One bench: what it measures, its flags, and the measuring. */
export interface Command<G extends FlagGroups = FlagGroups> {
  readonly description: string;
  readonly flags: G;
  run(config: Config<G>): Promise<void>;
}

/**
 * Types a bench; its file in commands/ has it as default export.
 *
 * @example
 * export default command({
 *   description: 'one step of training',
 *   flags: { Bench: { batch: z.int().min(1).default(8).describe('images per step') } },
 *   run: async ({ batch }) => console.log(batch),
 * });
 */
export function command<G extends FlagGroups>(definition: Command<G>): Command {
  return definition as unknown as Command;
}
