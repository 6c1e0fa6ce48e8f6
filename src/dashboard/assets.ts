import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { packageRoot } from '../base/package.js';

const require = createRequire(import.meta.url);
const uPlot = dirname(require.resolve('uplot'));
const page = join(packageRoot, 'src', 'dashboard', 'page');
const code = join(packageRoot, 'dist', 'src', 'dashboard', 'page');

/** A file of the page, whole. */
export interface Asset {
  readonly type: string;
  readonly text: string;
}

/**
 * A file of the page by its address: the document, its style, its modules as they were compiled, and uPlot from the
 * installed package. Undefined where there is none.
 */
export async function asset(path: string): Promise<Asset | undefined> {
  const module = /^\/page\/([a-z-]+\.js)$/.exec(path)?.[1];
  const [type, file] =
    path === '/'
      ? ['text/html', join(page, 'index.html')]
      : path === '/page/page.css'
        ? ['text/css', join(page, 'page.css')]
        : path === '/uplot.css'
          ? ['text/css', join(uPlot, 'uPlot.min.css')]
          : path === '/uplot.js'
            ? ['text/javascript', join(uPlot, 'uPlot.esm.js')]
            : ['text/javascript', module && join(code, module)];
  if (file === undefined || type === undefined) return undefined;
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : { type: `${type}; charset=utf-8`, text };
}

/** What the page may load and run: its own files, and the one script of the document, which says where uPlot is. */
export async function contentPolicy(): Promise<Record<string, string[]>> {
  const { text = '' } = (await asset('/')) ?? {};
  const inline = /<script type="importmap">([^]*?)<\/script>/.exec(text)?.[1] ?? '';
  const hash = createHash('sha256').update(inline).digest('base64');
  return {
    defaultSrc: ["'self'"],
    scriptSrc: ["'self'", `'sha256-${hash}'`],
    imgSrc: ["'self'", 'data:'],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  };
}
