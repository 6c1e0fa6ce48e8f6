import type uPlot from 'uplot';
import type { DrawnCurve } from './curves.js';
import { element } from './dom.js';

/** A line as it is drawn. */
export interface Stroke extends DrawnCurve {
  readonly color: string;
  /** Dashed, and with a dot at each value: curves of few points, such as one an epoch, are seen from the first one on. */
  readonly dashed: boolean;
}

/** For how long, in ms, a line that has changed is taken for one that will change again. */
const RESTLESS = 500;

/**
 * The lines of a chart, on two canvases over the axes that uPlot draws: one of the lines at rest, drawn anew where one of
 * them or a scale changes, and one of the others. Of a hundred runs of which one goes on, one line is drawn a frame.
 */
export class StrokedLines {
  readonly #resting = element('canvas', { class: 'lines' });
  readonly #moving = element('canvas', { class: 'lines' });
  readonly #seen = new Map<number, { of: string; changed: number }>();
  #drawn = '';

  /** Draws into a chart; the strokes have the places that they had before. */
  draw(plot: uPlot, strokes: readonly Stroke[]): void {
    if (!this.#moving.isConnected) plot.over.prepend(this.#resting, this.#moving);
    const now = performance.now();
    const moves = strokes.map(({ of }, place) => {
      const seen = this.#seen.get(place) ?? { of, changed: Number.NEGATIVE_INFINITY };
      const changed = seen.of === of ? seen.changed : now;
      this.#seen.set(place, { of, changed });
      return now - changed < RESTLESS;
    });
    const resting = strokes.filter((_, place) => !moves[place]);
    const { width, height } = plot.bbox;
    const scales = ['x', 'y'].map((name) => [plot.scales[name]!.min, plot.scales[name]!.max]);
    const state = JSON.stringify([width, height, scales, moves, resting.map(({ of }) => of)]);
    if (state !== this.#drawn) {
      this.#drawn = state;
      strokeAll(this.#resting, plot, resting);
    }
    const moving = strokes.filter((_, place) => moves[place]);
    strokeAll(this.#moving, plot, moving);
  }
}

function strokeAll(canvas: HTMLCanvasElement, plot: uPlot, strokes: readonly Stroke[]): void {
  const { width, height } = plot.bbox;
  const context = canvas.getContext('2d')!;
  if (canvas.width === width && canvas.height === height) context.clearRect(0, 0, width, height);
  else Object.assign(canvas, { width, height });
  for (const stroke of strokes) strokeOn(context, plot, stroke);
}

function strokeOn(context: CanvasRenderingContext2D, plot: uPlot, stroke: Stroke): void {
  const { steps, values, color, dashed } = stroke;
  const { left, top } = plot.bbox;
  const ratio = devicePixelRatio;
  const [path, dots] = [new Path2D(), new Path2D()];
  let isFirst = true;
  values.forEach((value, i) => {
    if (value === null) return;
    const [x, y] = [plot.valToPos(steps[i]!, 'x', true) - left, plot.valToPos(value, 'y', true) - top];
    if (isFirst) path.moveTo(x, y);
    else path.lineTo(x, y);
    isFirst = false;
    if (!dashed) return;
    dots.moveTo(x + 2 * ratio, y);
    dots.arc(x, y, 2 * ratio, 0, 2 * Math.PI);
  });
  Object.assign(context, { strokeStyle: color, fillStyle: color, lineWidth: 1.5 * ratio, lineJoin: 'round' });
  context.setLineDash(dashed ? [6 * ratio, 4 * ratio] : []);
  context.stroke(path);
  context.fill(dots);
}
