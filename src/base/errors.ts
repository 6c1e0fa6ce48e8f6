/**
 * An error that the user can fix: the message says what was expected, what was found, and how to fix it, with the
 * path or flag at fault. Recipes print it as one line and exit with code 1; every other error keeps its stack. Line ends,
 * which a name or a text from elsewhere brings, become spaces. `data` carries the same facts for a program.
 *
 * @example
 * throw new UserError('--epochs: expected an integer from 1 up, got "many"', { flag: 'epochs', got: 'many' });
 */
export class UserError extends Error {
  override readonly name = 'UserError';

  constructor(
    message: string,
    readonly data: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message.replaceAll(/\s*\n\s*/g, ' '), options);
  }
}
