import { printable } from '../base/printable.js';

/** Prints a line on standard error for every tenth of a file that has arrived: the `progress` of a download. */
export function percentLines(file: string): (bytes: number, total?: number) => void {
  let lastPercent = -1;
  return (bytes, total) => {
    const tenth = total ? Math.floor((10 * bytes) / total) : 0;
    if (tenth === lastPercent) return;
    lastPercent = tenth;
    const size = `${(bytes / 1e6).toFixed(1)} of ${total ? (total / 1e6).toFixed(1) : '?'} MB`;
    process.stderr.write(printable(`${file}: ${size}\n`));
  };
}

/** Prints a line for a try that failed: the `retry` of a download. */
export function retryLines(file: string): (why: string, seconds: number) => void {
  return (why, seconds) => {
    process.stderr.write(printable(`${file}: ${why}; trying again in ${seconds} s\n`));
  };
}
