import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import { Observable } from 'rxjs';
import { UserError } from '../src/base/errors.js';

/**
 * Runs a JavaScript file in a child process, with this Node: emits nothing, and completes when it exits with code 0.
 *
 * What it says on standard error is seen here; its standard output is not. Unsubscribing sends it SIGTERM; a key that
 * interrupts this process does not reach it, so it is told to stop once and can end in order. One that hangs is killed
 * when this process ends.
 *
 * @throws UserError where it ends with another code than 0; it has said why.
 * @example
 * childProcess('recipes/train-lora.js', ['--epochs', '3']).subscribe();
 */
export function childProcess(file: string, args: readonly string[]): Observable<never> {
  return new Observable((subscriber) => {
    const child = spawn(process.execPath, [file, ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      detached: true,
    });
    const kill = () => void child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('error', (error) => subscriber.error(error));
    child.once('close', (code, signal) => {
      process.removeListener('exit', kill);
      if (code === 0) return subscriber.complete();
      const how = code === null ? `signal ${signal}` : `code ${code}`;
      const command = [basename(file), ...args].join(' ');
      return subscriber.error(
        new UserError(`${command}: expected it to exit with code 0, got ${how}`, { code }),
      );
    });
    return () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    };
  });
}
