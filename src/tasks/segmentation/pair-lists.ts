import { readFile } from 'node:fs/promises';
import { UserError } from '../../base/errors.js';
import { whatIsThere } from '../../base/what-is-there.js';

/** How the lines of list files are read. */
export interface ListOptions {
  /** The endings of pictures. */
  readonly ending: RegExp;
  /** What names in lists may have at their ends. */
  readonly suffixes?: readonly string[];
  /** The flag that names the lists, for messages. */
  readonly flag?: string;
}

/**
 * The names that list files give, each with the list that names it: one per line, spelled as a stem, a file name or a path.
 *
 * @throws UserError for a list that cannot be read, and where none names anything
 */
export async function readLists(
  lists: readonly string[],
  isKnown: (name: string) => boolean,
  { ending, suffixes = [], flag = '--list' }: ListOptions,
): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  for (const list of lists) {
    const text = await readFile(list, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      throw new UserError(
        `${list}: expected a list file, got ${whatIsThere(cause)}; see ${flag}`,
        { path: list },
        { cause },
      );
    });
    for (const line of text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/)) {
      const name = nameIn(line.normalize().trim(), isKnown, ending, suffixes);
      if (name !== undefined) names.set(name, list);
    }
  }
  if (names.size === 0)
    throw new UserError(`${lists.join(', ')}: expected stems, one per line, got none; see ${flag}`, {
      lists,
    });
  return names;
}

function withoutSuffix(name: string, suffix: string): string {
  return suffix !== '' && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
}

/**
 * The name in a line: the first of the whole line, the line before a comment, and its first word, that is known as it
 * stands, without its ending, or without its folders; else the first word.
 */
function nameIn(
  line: string,
  isKnown: (name: string) => boolean,
  ending: RegExp,
  suffixes: readonly string[],
): string | undefined {
  const uncommented = line.replace(/#.*/, '').trim();
  const word = uncommented.split(/\s+/)[0]!;
  for (const text of [line, uncommented, word]) {
    const parts = text.replaceAll('\\', '/').replace(ending, '').split('/');
    const paths = [text, ...parts.map((_, from) => parts.slice(from).join('/'))];
    const names = paths.flatMap((one) => [one, ...suffixes.map((suffix) => withoutSuffix(one, suffix))]);
    const name = names.find((one) => one !== '' && isKnown(one));
    if (name !== undefined) return name;
  }
  return word === '' ? undefined : word;
}
