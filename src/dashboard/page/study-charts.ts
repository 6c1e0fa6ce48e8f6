import uPlot from 'uplot';
import type { StudyView } from '../study-protocol.js';
import { STEPS } from './curves.js';
import { figure } from './dom.js';
import { colorAt } from './theme.js';

const HEIGHT = 240;
const stepped = uPlot.paths.stepped!({ align: 1 });

/** The value of each COMPLETE trial by number, and the best so far of a single objective. */
export function history({ trials, directions, metrics }: StudyView, box: HTMLElement): void {
  const complete = trials.filter(({ state, values }) => state === 'COMPLETE' && values);
  const columns = directions.map((_, i) => complete.map(({ values }) => values![i] ?? null));
  const numbers = complete.map(({ number }) => number);
  const best = directions.length === 1 ? bestSoFar(columns[0]!, directions[0] === 'maximize') : [];
  const dots = metrics.map((_, i) => ({
    stroke: colorAt(i),
    paths: () => null,
    points: { show: true, size: 6, fill: colorAt(i) },
  }));
  const line =
    best.length > 0 ? [{ stroke: colorAt(1), width: 2, paths: stepped, points: { show: false } }] : [];
  const label = `${metrics.join(', ')} by trial${best.length > 0 ? ` and the best so far, ${figure(best.at(-1))}` : ''}`;
  plot(box, label, [numbers, ...columns, ...(best.length > 0 ? [best] : [])], [...dots, ...line]);
}

function bestSoFar(values: readonly (number | null)[], maximize: boolean): (number | null)[] {
  let best: number | null = null;
  return values.map((value) => {
    if (value !== null && (best === null || (maximize ? value > best : value < best))) best = value;
    return best;
  });
}

/** The values that each trial reported, by step; pruned and failed ones dashed. */
export function intermediate({ trials }: StudyView, box: HTMLElement): void {
  const reporting = trials.filter((trial) => trial.intermediate.steps.length > 0).slice(-100);
  const tables = reporting.map(
    ({ intermediate: { steps, values } }): uPlot.AlignedData => [[...steps], [...values]],
  );
  const data = tables.length > 0 ? uPlot.join(tables) : ([[]] as uPlot.AlignedData);
  const series = reporting.map(({ number, state }) => ({
    stroke: colorAt(number),
    width: 1.5,
    spanGaps: true,
    points: { show: true, size: 4 },
    ...((state === 'PRUNED' || state === 'FAIL') && { dash: [4, 4] }),
  }));
  plot(
    box,
    `Reported values of ${reporting.length} trials by step; pruned and failed ones dashed`,
    data,
    series,
  );
}

function plot(box: HTMLElement, label: string, data: uPlot.AlignedData, series: uPlot.Series[]): void {
  box.setAttribute('role', 'img');
  box.setAttribute('aria-label', label);
  const style = getComputedStyle(document.body);
  const axis = {
    stroke: style.getPropertyValue('--muted'),
    grid: { stroke: style.getPropertyValue('--grid'), width: 1 },
    ticks: { show: false },
  };
  const options: uPlot.Options = {
    width: box.clientWidth || 320,
    height: HEIGHT,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    scales: { x: { time: false } },
    axes: [
      { ...axis, size: 32, incrs: STEPS },
      { ...axis, size: 64, values: (_: unknown, ticks: number[]) => ticks.map(figure) },
    ],
    series: [{}, ...series],
  };
  const made = new uPlot(options, data, box);
  new ResizeObserver(() => made.setSize({ width: box.clientWidth, height: HEIGHT })).observe(box);
}
