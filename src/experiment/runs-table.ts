import { aboutScore, leadingScores, numbersOf } from '../events/shown-scores.js';
import type { Row } from '../files/tables.js';
import type { RunOverview } from './run-overview.js';

/** A line for each run: what it trained, how far it came, its leading scores, and on what. */
export function runsTable(runs: readonly RunOverview[]): Row[] {
  const scores = [...new Set(runs.flatMap(({ scores }) => leadingScores(scores)))];
  return runs.map((run) => {
    const {
      name,
      state,
      adapter,
      adapterParameters,
      headParameters,
      epoch,
      epochs,
      split,
      engine,
      precision,
    } = run;
    const numbers = new Map(numbersOf(run.scores));
    return {
      run: name,
      state,
      adapter,
      'adapter parameters': adapterParameters,
      'head parameters': headParameters,
      epochs: epochs === null ? String(epoch) : `${epoch}/${epochs}`,
      ...(scores.length > 0 && { split }),
      ...Object.fromEntries(scores.map((score) => [aboutScore(score).label, figure(numbers.get(score))])),
      when: run.started === null ? null : localTime(run.started),
      time: run.seconds === null ? null : duration(run.seconds),
      engine: engine === null ? null : `${engine} ${precision}`,
    };
  });
}

/** A run for programs: what is known of it, without its events. */
export function runRecord({ events: _events, started, ...run }: RunOverview): Record<string, unknown> {
  return { ...run, started: started === null ? null : new Date(started).toISOString() };
}

/** Four digits, or nothing: a score of 1 is no count. */
function figure(value: number | undefined): string | null {
  return value === undefined ? null : value.toFixed(4);
}

function localTime(time: number): string {
  const date = new Date(time);
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** A duration with its two largest units: `42 s`, `3 min 5 s`, `2 h 10 min`. */
function duration(seconds: number): string {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}
