import { join } from 'node:path';
import type { Event } from '../events/event.js';
import { writePlot } from '../report/render.js';
import { runPlots } from '../report/run-plots.js';
import type { Logger } from './logger.js';

/**
 * Loss, scores, learning rate, scores by class and the confusion matrix as `<dir>/*.png` and `*.svg`, drawn when the
 * run ends or is cut short; `earlier` holds a resumed run's events so far.
 */
export function plots(dir: string, { earlier = [] as readonly Event[] } = {}): Logger {
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
