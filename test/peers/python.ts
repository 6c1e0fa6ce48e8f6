import { type Python, pythonWith } from '../../bench/peers/python.js';

/**
 * `pythonWith` for a test: where the environment cannot be had, the test or suite is skipped and the reason printed.
 *
 * @example
 * before(async function () {
 *   python = await needsPython(this, 'optuna', ['optuna==4.9.0']);
 * });
 */
export async function needsPython(
  test: Mocha.Context,
  name: string,
  requirements: readonly string[],
): Promise<Python> {
  try {
    return await pythonWith(name, requirements);
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    const reason = (stderr || message).trim().split('\n').at(-1);
    console.log(`    skipped: no Python with ${requirements.join(', ')}: ${reason}`);
    return test.skip();
  }
}
