import { spawn } from 'node:child_process';
import type { StepResult } from './result.js';

/** Runs one of our benches in a process of its own. */
export function ours(args: readonly string[]): Promise<StepResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...args, '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        output[stream] += text;
      });
    child.on('error', reject).on('close', (code) => {
      if (code === 0) resolve(JSON.parse(output.stdout) as StepResult);
      else reject(new Error(`bench ${args.join(' ')} ended with ${code}:\n${output.stderr}`));
    });
  });
}
