import type { TopLevelSpec } from 'vega-lite';
import { PALETTE } from '../base/palette.js';
import { printable } from '../base/printable.js';
import { loadSharp } from '../base/sharp.js';
import { writeFileAtomic } from '../files/atomic.js';

/**
 * A Vega-Lite specification as plain data, without the parts that all plots share.
 *
 * It does not have Vega-Lite's own type, which needs the types of a browser.
 */
export type Plot = Readonly<Record<string, unknown>>;

/** Draws a plot as SVG text. Vega is loaded at the first call. */
export async function toSvg(plot: Plot): Promise<string> {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  (vega as unknown as Metrics).textMetrics.width = textWidth;
  const spec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: 'white',
    padding: 12,
    config: {
      font: 'DejaVu Sans, Helvetica, Arial, sans-serif',
      view: { stroke: null },
      axis: {
        labelFontSize: 12,
        titleFontSize: 13,
        titleFontWeight: 'normal',
        gridColor: '#e6e6e6',
        domainColor: '#888',
        tickColor: '#888',
      },
      legend: {
        labelFontSize: 12,
        titleFontSize: 13,
        titleFontWeight: 'normal',
        symbolStrokeWidth: 3,
        labelLimit: 300,
      },
      title: {
        fontSize: 15,
        fontWeight: 'bold',
        anchor: 'start',
        offset: 12,
        subtitleFontSize: 12,
        subtitleColor: '#555',
        subtitlePadding: 4,
      },
      line: { strokeWidth: 2.2 },
      point: { size: 40, filled: true },
      range: { category: PALETTE },
    },
    ...(withSafeTitles(plot) as Plot),
  } as unknown as TopLevelSpec;
  const logger = vega.logger(vega.Warn);
  // A plot that Vega gives up in the middle is none.
  logger.error = (error: unknown) => {
    throw error;
  };
  const view = new vega.View(vega.parse(vegaLite.compile(spec).spec), { renderer: 'none', logger });
  const svg = await view.toSVG();
  view.finalize();
  // XML holds no control characters and no halves of surrogate pairs, which names may.
  return printable(svg).replace(/\p{Surrogate}|[\ufffe\uffff]/gu, '\ufffd');
}

/** Renames titles such as `constructor`, which Vega would look up in plain objects. */
function withSafeTitles(node: unknown, isTitle = false): unknown {
  if (typeof node === 'string') return isTitle && node in Object.prototype ? `${node} ` : node;
  if (Array.isArray(node)) return node.map((each) => withSafeTitles(each, isTitle));
  if (node === null || typeof node !== 'object') return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [
      key,
      // Data is no title, and may be large.
      key === 'values' ? value : withSafeTitles(value, ['title', 'subtitle', 'text'].includes(key)),
    ]),
  );
}

/** Vega's text metrics, which its types omit. */
interface Metrics {
  readonly textMetrics: { width(item: { fontSize?: number }, text: unknown): number };
}

/** About DejaVu Sans' advance widths in ems. Without a canvas Vega takes 0.8 for each character, and leaves gaps. */
function textWidth({ fontSize = 11 }: { fontSize?: number }, text: unknown): number {
  const lines = Array.isArray(text) ? text.map(String) : [String(text ?? '')];
  const width = (line: string) =>
    [...line].reduce(
      (sum, c) =>
        sum +
        (/[iljI.,:;|'!]/.test(c)
          ? 0.3
          : /[frt ()[\]-]/.test(c)
            ? 0.4
            : /[mwMW%@]/.test(c)
              ? 0.95
              : /[A-Z–]/.test(c)
                ? 0.7
                : 0.64),
      0,
    );
  return fontSize * Math.max(...lines.map(width));
}

/** Writes `<path>.svg` and `<path>.png`, the latter at 200 dots an inch. */
export async function writePlot(path: string, plot: Plot): Promise<void> {
  const sharp = loadSharp();
  const svg = await toSvg(plot);
  await writeFileAtomic(`${path}.svg`, svg);
  await writeFileAtomic(
    `${path}.png`,
    // Without a palette: to search one takes three times as long as the plot itself, for half the size.
    await sharp(Buffer.from(svg), { density: 200 }).removeAlpha().png().toBuffer(),
  );
}
