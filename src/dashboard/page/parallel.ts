import type { ParamAxis, StudyView, TrialRow } from '../study-protocol.js';
import { element, figure } from './dom.js';

const SPACE = 130;
const TOP = 28;
const TALL = 200;

/** An axis of the picture, and the share of its length at which a trial lies; undefined where it has no value. */
interface Axis {
  readonly title: string;
  readonly low: string;
  readonly high: string;
  place(trial: TrialRow): number | undefined;
}

/** One line a COMPLETE trial, through its first value and its parameters: the better the more opaque. */
export function parallel({ trials, axes: params, metrics, directions }: StudyView): HTMLElement {
  const complete = trials.filter(
    ({ state, values }) => state === 'COMPLETE' && typeof values?.[0] === 'number',
  );
  if (complete.length === 0) return element('p', { class: 'hint' }, 'No COMPLETE trials yet.');
  const values = complete.map((trial) => trial.values![0]!);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const value = { name: metrics[0]!, choices: null, low: least, high: most, log: false };
  const axes = [
    axisOf(value, (trial) => trial.values?.[0] ?? undefined),
    ...params.map((axis) => axisOf(axis, ({ params }) => params[axis.name])),
  ];
  const quality = (trial: TrialRow) => {
    const place = axes[0]!.place(trial) ?? 0;
    return directions[0] === 'maximize' ? place : 1 - place;
  };
  const width = SPACE * axes.length;
  const label = `Parallel coordinates of ${complete.length} trials: ${axes.map(({ title }) => title).join(', ')}`;
  const picture = svg('svg', {
    viewBox: `0 0 ${width} ${TOP + TALL + 40}`,
    width: String(width),
    role: 'img',
    'aria-label': label,
  });
  for (const trial of complete.toSorted((a, b) => quality(a) - quality(b))) {
    const line = svg('path', {
      class: 'trial',
      d: pathOf(axes, trial),
      opacity: String(0.15 + 0.75 * quality(trial)),
    });
    line.append(text('title', {}, `trial ${trial.number}: ${figure(trial.values![0])}`));
    picture.append(line);
  }
  axes.forEach((axis, i) => picture.append(...drawn(axis, xOf(i))));
  return element(
    'div',
    { class: 'scroll', tabIndex: 0, role: 'group', 'aria-label': 'Parallel coordinates' },
    picture,
  );
}

const xOf = (i: number) => SPACE * i + SPACE / 2;
const yOf = (place: number) => TOP + TALL * (1 - place);

function axisOf(
  { name, choices, low, high, log }: ParamAxis,
  valueOf: (trial: TrialRow) => string | number | boolean | null | undefined,
): Axis {
  const scale = log ? Math.log : (x: number) => x;
  const share = (value: number) =>
    high === low ? 0.5 : (scale(value) - scale(low)) / (scale(high) - scale(low));
  return {
    title: name,
    low: choices ? (choices[0] ?? '') : figure(low),
    high: choices ? (choices.at(-1) ?? '') : figure(high),
    place: (trial) => {
      const value = valueOf(trial);
      if (value === undefined) return undefined;
      if (!choices) return typeof value === 'number' ? share(value) : undefined;
      return choices.length === 1 ? 0.5 : choices.indexOf(String(value)) / (choices.length - 1);
    },
  };
}

/** A line over the axes on which the trial has a value. */
function pathOf(axes: readonly Axis[], trial: TrialRow): string {
  const points = axes.flatMap((axis, i) => {
    const place = axis.place(trial);
    return place === undefined ? [] : [`${xOf(i)},${yOf(place).toFixed(1)}`];
  });
  return `M${points.join('L')}`;
}

function drawn({ title, low, high }: Axis, x: number): SVGElement[] {
  const middle = { 'text-anchor': 'middle', x: String(x) };
  return [
    svg('line', { class: 'axis', x1: String(x), x2: String(x), y1: String(TOP), y2: String(TOP + TALL) }),
    text('text', { ...middle, y: String(TOP - 8) }, high),
    text('text', { ...middle, y: String(TOP + TALL + 16) }, low),
    text('text', { ...middle, y: String(TOP + TALL + 34), class: 'title' }, title),
  ];
}

function svg(name: string, attributes: Readonly<Record<string, string>>): SVGElement {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function text(name: string, attributes: Readonly<Record<string, string>>, words: string): SVGElement {
  const made = svg(name, attributes);
  made.textContent = words;
  return made;
}
