import pc from 'picocolors';
import { defer, finalize, type MonoTypeOperatorFunction, tap } from 'rxjs';
import { printable } from '../src/base/printable.js';
import type { Event, RunEvent, ValidationEvent } from '../src/events/event.js';
import { improves, metricOf, metrics, modeOf } from '../src/events/metric.js';
import type { Scores } from '../src/events/scores.js';
import { aboutScore, leadingScores } from '../src/events/shown-scores.js';

/** Options of `progress`. */
export interface ProgressOptions {
  /**
   * The validation score that marks the best validation; give the one that chooses the best checkpoint. Default: the
   * first that rises, or the loss.
   */
  readonly metric?: string;
  /** The earlier events of a resumed run, from which its best validation is known. */
  readonly earlier?: readonly Event[];
  /** The stream to write to. Default standard error. */
  readonly to?: {
    /** Writes text, as a stream of Node does. */
    readonly write: (text: string) => unknown;
    readonly isTTY?: boolean;
    readonly columns?: number;
  };
  /** Seconds between two lines about steps when the output is not a terminal. Default 10. */
  readonly every?: number;
}

const CLEAR = '\r\x1b[K';

/**
 * Prints the progress of a run: on a terminal one line that is rewritten at each step, elsewhere a line every ten
 * seconds; and always a line for each epoch, validation and warning, and for the end.
 *
 * The time left counts validations and waiting for data, as they were so far in this process. Colours only on a
 * terminal, and never where NO_COLOR is set. Writes no file names: the recipe knows them.
 *
 * @example
 * training$.pipe(logTo(run, jsonLines()), progress(run)).subscribe();
 */
export function progress<S extends Scores = Scores>({
  metric,
  earlier = [],
  to = process.stderr,
  every = 10,
}: ProgressOptions = {}): MonoTypeOperatorFunction<Event<S>> {
  return (events$) =>
    defer(() => {
      const screen = new Screen(to);
      const view = new View(metric, pc.createColors(Boolean(to.isTTY) && pc.isColorSupported));
      for (const event of earlier) view.isBest(event);
      let lastDrawn = Number.NEGATIVE_INFINITY;
      const show = (event: Event) => {
        const text = view.text(event, to.isTTY ? (to.columns || 80) - 1 : Number.POSITIVE_INFINITY);
        if (text === undefined) return;
        if (event.type !== 'step') screen.line(text);
        else if (to.isTTY) screen.rewrite(text);
        else if (event.time - lastDrawn >= every * 1000) {
          screen.line(text);
          lastDrawn = event.time;
        }
      };
      return events$.pipe(
        tap((event: Event<S>) => show(event)),
        finalize(() => screen.end()),
      );
    });
}

/** A terminal, or a stand-in for one, whose last line can be rewritten. */
class Screen {
  #open = '';

  constructor(private readonly to: NonNullable<ProgressOptions['to']>) {}

  line(text: string): void {
    this.to.write(`${this.#open && CLEAR}${text}\n`);
    this.#open = '';
  }

  rewrite(text: string): void {
    this.#open = text.slice(0, (this.to.columns || 80) - 1);
    this.to.write(CLEAR + this.#open);
  }

  /** Ends the last line and keeps its text. */
  end(): void {
    if (this.#open) this.to.write('\n');
    this.#open = '';
  }
}

/** The text for each event, given the events before it. */
class View {
  #epochs = 0;
  #steps = 0;
  #first: { readonly step: number; readonly time: number } | undefined;
  #best: ValidationEvent | undefined;

  constructor(
    private readonly metric: string | undefined,
    private readonly colours: ReturnType<typeof pc.createColors>,
  ) {}

  /** A line of at most `width` letters, if shortening its bar is enough. */
  text(event: Event, width: number): string | undefined {
    const { bold, dim, green, yellow } = this.colours;
    switch (event.type) {
      case 'run': {
        this.#epochs = event.epochs;
        this.#steps = event.epochs * event.batches;
        const { run, engine, precision } = event;
        return `${bold(run)}  ${trained(event)}, on ${engine} ${precision}`;
      }
      case 'step': {
        const { epoch, step, batch, batches, loss, imagesPerSecond, time } = event;
        this.#first ??= { step: step - 1, time: time - event.seconds * 1000 };
        const secondsPerStep = (time - this.#first.time) / 1000 / (step - this.#first.step);
        const remaining = this.#steps > 0 ? `  ${duration((this.#steps - step) * secondsPerStep)} left` : '';
        const head = `${this.#epoch(epoch)}  `;
        const tail = `${batch + 1}/${batches}  loss ${loss.toFixed(4)}  ${rate(imagesPerSecond)}${remaining}`;
        return head + bar((batch + 1) / batches, width - head.length - tail.length - 1) + tail;
      }
      case 'epoch':
        return `${this.#epoch(event.epoch)}  train loss ${event.loss.toFixed(4)}  ${dim(rate(event.imagesPerSecond))}`;
      case 'validation': {
        const text = `  ${event.split}  ${this.#scores(event)}  ${dim(duration(event.seconds))}`;
        return this.isBest(event) ? `${text}  ${green('best')}` : text;
      }
      case 'warning':
        return yellow(`warning: ${printable(event.message)}`);
      case 'done': {
        const best = this.#best
          ? `; best validation at epoch ${this.#best.epoch}: ${this.#scores(this.#best)}, by ${aboutScore(this.#metricOf(this.#best)).label}`
          : '';
        return `${bold(ENDINGS[event.reason])} after ${event.epoch} ${event.epoch === 1 ? 'epoch' : 'epochs'}, ${count(event.step)} steps, ${duration(event.seconds)}${best}`;
      }
      default:
        return undefined;
    }
  }

  /** Whether this is the best validation so far, which is then remembered. */
  isBest(event: Event): boolean {
    if (event.type !== 'validation' || event.split !== 'validation') return false;
    const metric = this.#metricOf(event);
    const value = metricOf(event.scores, metric);
    const before = this.#best && metricOf(this.#best.scores, metric);
    if (!improves(value, before, modeOf(metric))) return false;
    this.#best = event;
    return true;
  }

  #metricOf({ scores }: ValidationEvent): string {
    return this.metric ?? leadingScores(scores).find((name) => metrics.has(name)) ?? 'loss';
  }

  /** The loss, the leading scores, and the metric unless a label among them covers it. */
  #scores(event: ValidationEvent): string {
    const { scores } = event;
    const metric = this.#metricOf(event);
    const columns = new Map(['loss', ...leadingScores(scores)].map((name) => [aboutScore(name).label, name]));
    const { label } = metrics.get(metric);
    if (!columns.has(label)) columns.set(label, metric);
    return [...columns]
      .map(([text, name]) => {
        const value = scores[name];
        return `${text} ${(typeof value === 'number' ? value : metricOf(scores, name)).toFixed(4)}`;
      })
      .join('  ');
  }

  #epoch(epoch: number): string {
    return this.#epochs > 0 ? `epoch ${epoch}/${this.#epochs}` : `epoch ${epoch}`;
  }
}

const ENDINGS = {
  finished: 'finished',
  'early-stop': 'stopped early',
  guard: 'stopped by the guard',
} as const;

/** The trainable parts, with the number of parameters of each. */
function trained(event: RunEvent): string {
  const { adapter, adapterParameters, headParameters, backboneParameters = 0 } = event;
  const parts = Object.entries({
    backbone: backboneParameters,
    adapter: adapterParameters,
    head: headParameters,
  }).filter(([, parameters]) => parameters > 0);
  const counts = parts.map(([, parameters]) => count(parameters)).join(' + ');
  const what = adapter === 'none' ? 'no adapter' : adapter;
  return `${what}, ${counts} parameters (${parts.map(([part]) => part).join(' + ')})`;
}

/** A bar of at most 20 letters and a blank; empty if there is room for fewer than 4. */
function bar(share: number, room: number): string {
  const width = Math.min(20, room);
  if (width < 4) return '';
  const full = Math.round(Math.min(1, share) * width);
  return `${'█'.repeat(full)}${'░'.repeat(width - full)} `;
}

function rate(imagesPerSecond: number): string {
  return `${imagesPerSecond.toFixed(imagesPerSecond < 100 ? 1 : 0)} images/s`;
}

function count(n: number): string {
  return n.toLocaleString('en-US');
}

function duration(seconds: number): string {
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`;
  const total = Math.round(seconds);
  const [h, m, s] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60), total % 60];
  return h > 0 ? `${h} h ${m} min` : m > 0 ? `${m} min ${s} s` : `${s} s`;
}
