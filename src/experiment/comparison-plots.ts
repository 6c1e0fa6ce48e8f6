import type { Plot } from '../report/render.js';

/** A score over runs: its mean and, where it is known, its standard deviation. */
export interface ComparedScore {
  /** The compared thing, which has a colour: an adapter, for example. */
  readonly series: string;
  /** The source of the figure, shown by dash and strength of colour. */
  readonly source: string;
  /** The column of a table and the place on an axis where it belongs; on a line it begins with a number. */
  readonly place: string;
  readonly mean: number;
  readonly std: number | null;
  /** The number of parameters of an adapter. */
  readonly parameters?: number;
}

export interface ComparisonTitles {
  readonly title: string;
  readonly subtitle: string;
  readonly x: string;
  readonly y: string;
}

/**
 * Lines over a number, such as a rank, with error bars of one standard deviation; series are set slightly apart.
 */
export function lineComparison(titles: ComparisonTitles, scores: readonly ComparedScore[]): Plot {
  const number = ({ place }: ComparedScore) => Number.parseFloat(place);
  const xs = [...new Set(scores.map(number))].toSorted((a, b) => a - b);
  const lines = [...new Set(scores.map(({ series, source }) => `${series}/${source}`))];
  const span = xs.length > 1 ? xs.at(-1)! - xs[0]! : 1;
  const values = scores.map((score) => {
    const line = lines.indexOf(`${score.series}/${score.source}`) - (lines.length - 1) / 2;
    return { ...withBounds(score), at: number(score) + (line * span) / 70 };
  });
  const x = {
    field: 'at',
    type: 'quantitative',
    title: titles.x,
    axis: { values: xs, labelExpr: "'' + datum.value", labelFlush: false },
    scale: { nice: false, zero: false, padding: 24 },
  };
  const y = meanOn(titles.y, { zero: false, nice: 6 });
  const { color, source } = looks(scores);
  return {
    title: { text: titles.title, subtitle: titles.subtitle },
    width: 420,
    height: 280,
    data: { values },
    layer: [
      { mark: 'line', encoding: { x, y, color, strokeDash: source } },
      ...errorBars({ x, color }, values),
      { mark: { type: 'point', opacity: 1, size: 55 }, encoding: { x, y, color } },
    ],
  };
}

/** Bars in groups, such as the styles of an out-of-domain test, with error bars of one standard deviation. */
export function groupComparison(titles: ComparisonTitles, scores: readonly ComparedScore[]): Plot {
  const values = scores.map((score) => ({ ...withBounds(score), bar: `${score.source}/${score.series}` }));
  const groups = new Set(scores.map(({ place }) => place)).size;
  const bars = [...new Set(values.map(({ bar }) => bar))];
  const at = {
    x: { field: 'place', type: 'nominal', title: titles.x, sort: null, axis: { labelAngle: 0 } },
    xOffset: { field: 'bar', type: 'nominal', sort: bars },
  };
  const { color, source } = looks(scores);
  return {
    title: { text: titles.title, subtitle: titles.subtitle },
    width: Math.max(420, groups * bars.length * 24),
    height: 280,
    data: { values },
    layer: [
      {
        mark: 'bar',
        encoding: {
          ...at,
          y: meanOn(titles.y, { zero: true }),
          color,
          opacity: {
            ...source,
            scale: { domain: source.sort, range: [1, 0.4].slice(0, source.sort.length) },
          },
        },
      },
      ...errorBars({ ...at, color: { value: '#333' } }, values),
    ],
  };
}

function withBounds<S extends ComparedScore>(score: S) {
  const { mean, std } = score;
  return { ...score, low: std === null ? null : mean - std, high: std === null ? null : mean + std };
}

function meanOn(title: string, scale: Readonly<Record<string, unknown>>) {
  return { field: 'mean', type: 'quantitative', title, scale, axis: { tickCount: 6 } };
}

/** Rules with caps; none if no deviation is known. */
function errorBars(
  at: Readonly<Record<string, unknown>>,
  values: readonly { readonly low: number | null }[],
) {
  if (values.every(({ low }) => low === null)) return [];
  const hasDeviation = [{ filter: 'datum.low !== null' }];
  const end = (field: string) => ({ field, type: 'quantitative' });
  const cap = { type: 'tick', orient: 'horizontal', size: 7, thickness: 1.4 };
  return [
    {
      transform: hasDeviation,
      mark: { type: 'rule', strokeWidth: 1.4 },
      encoding: { ...at, y: end('low'), y2: { field: 'high' } },
    },
    ...['low', 'high'].map((field) => ({
      transform: hasDeviation,
      mark: cap,
      encoding: { ...at, y: end(field) },
    })),
  ];
}

/** Colour by series, and a legend of sources if there are several. */
function looks(scores: readonly ComparedScore[]) {
  const sources = [...new Set(scores.map(({ source }) => source))];
  const source = { field: 'source', type: 'nominal', sort: sources };
  return {
    color: { field: 'series', type: 'nominal', title: null, sort: null },
    source: { ...source, ...(sources.length > 1 ? { title: null } : { legend: null }) },
  };
}
