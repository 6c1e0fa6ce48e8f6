import uPlot from 'uplot';
import { type Chart, chartsOf, columnsOf, drawnLines, type Line, STEPS } from './curves.js';
import { element, figure, setText } from './dom.js';
import { holds } from './holds.js';
import type { LiveRun } from './live.js';
import { type Stroke, StrokedLines } from './stroked-lines.js';

const HEIGHT = 220;

/** A chart on the page, and what it was drawn with. */
interface Drawn {
  readonly box: HTMLElement;
  readonly readout: HTMLElement;
  readonly plot: uPlot;
  readonly lines: StrokedLines;
  /** What its lines are: where these change, it is made anew. */
  readonly names: string;
  /** Of which state of its curves it is. */
  state: string;
  shown: readonly Line[];
  strokes: readonly Stroke[];
}

/** What the charts are drawn with. */
export interface ChartOptions {
  readonly colorOf: (run: string) => string;
  /** From 0, as logged, to below 1: the weight of what was before in a moving average. */
  readonly smoothing: number;
}

/** The charts of the selected runs: one for each quantity, drawn again where a run has changed. */
export class Charts {
  readonly box = element('div', { class: 'charts' });
  readonly #drawn = new Map<string, Drawn>();

  draw(runs: readonly LiveRun[], options: ChartOptions): void {
    const charts = chartsOf(runs);
    for (const [title, drawn] of this.#drawn)
      if (!charts.some((chart) => chart.title === title)) this.#remove(title, drawn);
    charts.forEach((chart, i) => this.#show(chart, i, options));
  }

  /** Forgets all, as when the theme changes. */
  clear(): void {
    for (const [title, drawn] of this.#drawn) this.#remove(title, drawn);
  }

  #show(chart: Chart, place: number, options: ChartOptions): void {
    const names = chart.lines.map(({ run, series }) => `${run} ${series} ${options.colorOf(run)}`).join('\n');
    let drawn = this.#drawn.get(chart.title);
    if (drawn && drawn.names !== names) {
      this.#remove(chart.title, drawn);
      drawn = undefined;
    }
    const curves = drawnLines(chart.lines, options.smoothing);
    const state = curves.map(({ of }) => of).join('\n');
    if (drawn?.state === state) return;
    const strokes = chart.lines.map(({ run, dashed }, i) => ({
      ...curves[i]!,
      color: options.colorOf(run),
      dashed,
    }));
    const of = { names, state, strokes, shown: chart.lines };
    const columns = columnsOf(curves);
    if (drawn) this.#update(Object.assign(drawn, of), columns);
    else this.#add(chart, place, of, columns, options);
  }

  /** Draws what has changed: all of the chart where it needs other scales, and was not enlarged by hand. */
  #update({ plot, lines, strokes }: Drawn, columns: uPlot.AlignedData): void {
    const [steps] = plot.data;
    const { min = 0, max = 0 } = plot.scales['x']!;
    const isEnlarged = min! > (steps[0] ?? min!) || max! < (steps.at(-1) ?? max!);
    const isDrawnAnew = !isEnlarged && !holds(plot.scales['x']!, plot.scales['y']!, strokes);
    plot.setData(columns, isDrawnAnew);
    if (!isDrawnAnew) lines.draw(plot, strokes);
  }

  #add(
    chart: Chart,
    place: number,
    of: Omit<Drawn, 'box' | 'readout' | 'plot' | 'lines'>,
    columns: uPlot.AlignedData,
    { colorOf }: ChartOptions,
  ): void {
    const readout = element('p', { class: 'readout' });
    const canvas = element('div', { role: 'img', 'aria-label': `${chart.title} by step` });
    const box = element('section', { class: 'chart' }, element('h3', {}, chart.title), canvas, readout);
    this.box.insertBefore(box, this.box.children[place] ?? null);
    const lines = new StrokedLines();
    const options = plotOptions(chart, colorOf, canvas.clientWidth || 320, {
      draw: (plot) => lines.draw(plot, drawn.strokes),
      read: () => this.#read(chart.title),
    });
    const plot = new uPlot(options, columns, canvas);
    const drawn: Drawn = { box, readout, plot, lines, ...of };
    this.#drawn.set(chart.title, drawn);
    const sized = new ResizeObserver(() => plot.setSize({ width: canvas.clientWidth, height: HEIGHT }));
    sized.observe(canvas);
    this.#read(chart.title);
  }

  /** Says the values below the cursor, or else the last ones. */
  #read(title: string): void {
    const drawn = this.#drawn.get(title);
    if (!drawn) return;
    const { plot, readout, shown } = drawn;
    const index = plot.cursor.idx ?? undefined;
    const parts = shown.slice(0, 6).map(({ label, unit }, i) => {
      const values = plot.data[i + 1]!;
      const value =
        index === undefined
          ? Array.from(values).findLast((v) => v !== null && v !== undefined)
          : values[index];
      return `${label} ${figure(typeof value === 'number' ? value / unit.by : value)}${unit.name}`;
    });
    const more = shown.length > parts.length ? ` … ${shown.length - parts.length} more` : '';
    const step = index === undefined ? 'last' : `step ${plot.data[0][index]}`;
    setText(readout, `${step}: ${parts.join(', ')}${more}`);
  }

  #remove(title: string, { plot, box }: Drawn): void {
    plot.destroy();
    box.remove();
    this.#drawn.delete(title);
  }
}

function plotOptions(
  { lines, unit }: Chart,
  colorOf: (run: string) => string,
  width: number,
  { draw, read }: { readonly draw: (plot: uPlot) => void; readonly read: () => void },
): uPlot.Options {
  const style = getComputedStyle(document.body);
  const axis = {
    stroke: style.getPropertyValue('--muted'),
    grid: { stroke: style.getPropertyValue('--grid'), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height: HEIGHT,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: 'step' }, points: { show: lines.length <= 12 }, drag: { x: true, y: false } },
    scales: { x: { time: false, range: roomAhead } },
    axes: [
      { ...axis, size: 32, incrs: STEPS },
      { ...axis, size: 64, values: (_: unknown, ticks: number[]) => ticks.map((v) => figure(v / unit.by)) },
    ],
    series: [
      {},
      ...lines.map(({ run }) => ({ stroke: colorOf(run), paths: () => null, points: { show: false } })),
    ],
    hooks: { draw: [draw], setCursor: [read], setData: [read] },
  };
}

/** The steps of an axis: those that there are, and room for up to a twentieth more, so that it stays as it is for a while. */
function roomAhead({ data: [steps] }: uPlot, min: number, max: number): [number, number] {
  if (max !== steps.at(-1)) return [min, max];
  const room = Math.max(1, 10 ** Math.floor(Math.log10(Math.max(1, (max - min) / 5))) / 2);
  return [min, min + Math.ceil((max - min) / room) * room];
}
