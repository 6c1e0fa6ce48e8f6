import { readFile } from 'node:fs/promises';
import fastGlob from 'fast-glob';

/** One example of a doc comment. */
export interface Example {
  readonly file: string;
  readonly line: number;
  readonly code: string;
}

/** All `@example` blocks of the doc comments below some folders. */
export async function docExamples(root: string, folders: readonly string[]): Promise<Example[]> {
  const files = await fastGlob(
    folders.map((folder) => `${folder}/**/*.ts`),
    { cwd: root },
  );
  const found = await Promise.all(
    files.toSorted().map(async (file) => examplesIn(file, await readFile(`${root}/${file}`, 'utf8'))),
  );
  return found.flat();
}

function examplesIn(file: string, text: string): Example[] {
  const lines = text.split('\n');
  return lines.flatMap((line, at) => {
    if (!/^\s*\* @example/.test(line)) return [];
    const rest = lines.slice(at + 1);
    const end = rest.findIndex((next) => /^\s*\*\/|^\s*\* @/.test(next));
    const code = rest.slice(0, end).map((next) => next.replace(/^\s*\* ?/, ''));
    return [{ file, line: at + 2, code: code.join('\n') }];
  });
}

/** The code blocks of one language in a Markdown text, in order. */
export function codeBlocks(markdown: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms');
  return [...markdown.matchAll(fence)].map(([, code]) => code!.trim());
}

/** Code whose statements `expression; // => value` became checks: `shown(expression, "value")`. */
export function withChecks(code: string): string {
  return code.replaceAll(
    /^(.*\S);\s*\/\/ => (.*)$/gm,
    (_, expression: string, value: string) => `shown(${expression}, ${JSON.stringify(value)});`,
  );
}

/** The longest beginning of a comment that is a JavaScript value; what follows it is prose. */
export function valueIn(comment: string): unknown {
  for (let end = comment.length; end > 0; end--) {
    if (end < comment.length && !/[\s,;]/.test(comment[end]!)) continue;
    try {
      return new Function(`return (${comment.slice(0, end)});`)();
    } catch {}
  }
  throw new Error(`no value stands in ${JSON.stringify(comment)}`);
}
