import { join } from 'node:path';
import type { Event } from '../events/event.js';
import { writePlot } from '../report/render.js';
import { runPlots } from '../report/run-plots.js';
import { folderFor, type Logger, type LoggerFor } from './logger.js';

/**
 * Loss, scores, learning rate, scores by class and the confusion matrix as `<dir>/*.png` and `*.svg`, drawn when the
 * run ends or is cut short. Default: the run's folder of plots.
 */
export function plots(dir?: string): LoggerFor {
  return (run) => plotsIn(folderFor('plots', dir, run.plots), run.earlier ?? []);
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
