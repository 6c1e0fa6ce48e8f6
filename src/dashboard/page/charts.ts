import uPlot from 'uplot';
import { type Chart, chartsOf, columnsOf, type Line, STEPS } from './curves.js';
import { element, figure, setText } from './dom.js';
import type { LiveRun } from './live.js';

const HEIGHT = 220;

/** A chart on the page, and what it was drawn with. */
interface Drawn {
  readonly box: HTMLElement;
  readonly readout: HTMLElement;
  readonly plot: uPlot;
  /** What its lines are: where these change, it is made anew. */
  readonly lines: string;
  shown: readonly Line[];
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
    const lines = chart.lines.map(({ run, series }) => `${run} ${series} ${options.colorOf(run)}`).join('\n');
    let drawn = this.#drawn.get(chart.title);
    if (drawn && drawn.lines !== lines) {
      this.#remove(chart.title, drawn);
      drawn = undefined;
    }
    const data = columnsOf(chart.lines, options.smoothing);
    if (drawn) {
      drawn.shown = chart.lines;
      drawn.plot.setData(data);
    } else this.#add(chart, place, lines, data, options);
  }

  #add(chart: Chart, place: number, lines: string, data: uPlot.AlignedData, { colorOf }: ChartOptions): void {
    const readout = element('p', { class: 'readout' });
    const canvas = element('div', { role: 'img', 'aria-label': `${chart.title} by step` });
    const box = element('section', { class: 'chart' }, element('h3', {}, chart.title), canvas, readout);
    this.box.insertBefore(box, this.box.children[place] ?? null);
    const width = canvas.clientWidth || 320;
    const plot = new uPlot(
      plotOptions(chart, colorOf, width, () => this.#read(chart.title)),
      data,
      canvas,
    );
    const sized = new ResizeObserver(() => plot.setSize({ width: canvas.clientWidth, height: HEIGHT }));
    sized.observe(canvas);
    this.#drawn.set(chart.title, { box, readout, plot, lines, shown: chart.lines });
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
  read: () => void,
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
    scales: { x: { time: false } },
    axes: [
      { ...axis, size: 32, incrs: STEPS },
      { ...axis, size: 64, values: (_: unknown, ticks: number[]) => ticks.map((v) => figure(v / unit.by)) },
    ],
    series: [
      {},
      ...lines.map(({ run, dashed }) => ({
        stroke: colorOf(run),
        width: 1.5,
        ...(dashed && { dash: [6, 4] }),
        spanGaps: true,
        // Curves of few points, such as one an epoch, are seen from the first one on.
        points: { show: dashed, size: 5 },
      })),
    ],
    hooks: { setCursor: [read], setData: [read] },
  };
}
