import { readFile, writeFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { UserError } from '../src/base/errors.js';
import { root } from './root.js';

/** A Markdown table that ends in a newline; all columns but the first are aligned right. */
export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

/** The machine that a measurement was taken on. */
export const machine = (): string =>
  `${cpus()[0]?.model.trim() ?? process.arch}, ${cpus().length} cores, ${process.platform} ${release()}, Node ${process.versions.node}`;

/** Replaces the text between the markers `<!-- name -->` and `<!-- /name -->`. */
export function replaceSection(before: string, name: string, text: string): string {
  const [open, close] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const [from, to] = [before.indexOf(open), before.indexOf(close)];
  if (from < 0 || to < from)
    throw new UserError(`PERFORMANCE.md: expected the lines ${open.trim()} and ${close}, got no such place`);
  return `${before.slice(0, from + open.length)}\n${text}\n${before.slice(to)}`;
}

/** Puts a section into PERFORMANCE.md. */
export async function updateSection(name: string, text: string): Promise<void> {
  const file = new URL('PERFORMANCE.md', root);
  await writeFile(file, replaceSection(await readFile(file, 'utf8'), name, text));
}
