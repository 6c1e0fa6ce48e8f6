import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Event } from '../events/event.js';
import { writePlot } from '../report/render.js';
import { runPlots } from '../report/run-plots.js';
import { folderFor, type LoggedRun, type Logger, type LoggerFor } from './logger.js';

/**
 * Loss, scores, learning rate, scores by class and the confusion matrix as `<dir>/*.png` and `*.svg`, drawn when the
 * run ends or is cut short. Default: the run's folder of plots.
 */
export function plots(dir?: string): LoggerFor {
  return (run) => plotsIn(folderFor('plots', dir, run.plots), run.earlier ?? []);
}

/** The paths of a run's plots as PNG, once they are drawn: those of its folder of plots, not of folders in it. */
export async function plotsOf({ plots: dir }: LoggedRun): Promise<string[]> {
  if (dir === undefined) return [];
  const names = await readdir(dir).catch(() => []);
  return names
    .filter((name) => name.endsWith('.png'))
    .toSorted()
    .map((name) => join(dir, name));
}

function plotsIn(dir: string, earlier: readonly Event[]): Logger {
  const events: Event[] = [...earlier];
  return {
    name: dir,
    next: (event) => {
      events.push(event);
    },
    close: async () => {
      for (const [name, plot] of Object.entries(runPlots(events))) await writePlot(join(dir, name), plot);
    },
  };
}
