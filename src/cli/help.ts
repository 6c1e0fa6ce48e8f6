import { expected, type Flag, wordsFlag } from './flag.js';

/**
 * The `--help` text: usage, the recipe's description, and the flags by group, each with its type and its default.
 */
export function helpText(usage: string, description: string, table: ReadonlyMap<string, Flag>): string {
  const words = wordsFlag(table);
  const lines = [
    `Usage: ${usage}${words ? ` [${words.name.toUpperCase()} …]` : ''} [flags]`,
    '',
    description,
  ];
  let group = '';
  for (const flag of table.values()) {
    if (flag.group !== group) lines.push('', `${flag.group}:`);
    group = flag.group;
    lines.push(...describe(flag));
  }
  return [...lines, ''].join('\n');
}

/** Whether it is worth a word what a flag takes: not of plain text, nor of a switch. */
function speaks({ type, enum: names, expects }: Flag['schema']): boolean {
  return type !== 'boolean' && (type !== 'string' || (names ?? expects) !== undefined);
}

function describe(flag: Flag): string[] {
  const { schema } = flag;
  const spelling = schema.type === 'boolean' ? `--[no-]${flag.name}` : `--${flag.name} ${placeholder(flag)}`;
  const notes = [
    ...(speaks(schema) ? [expected(schema)] : []),
    ...(flag.required ? ['required'] : []),
    ...(schema.default === undefined || isEmpty(schema.default) ? [] : [`default ${shown(schema.default)}`]),
  ];
  const text = [schema.description ?? '', ...(notes.length > 0 ? [`(${notes.join('; ')})`] : [])].join(' ');
  const head = `  ${spelling}`;
  const [first = '', ...rest] = wrap(text.trim(), 100 - 30);
  const start = head.length < 29 ? [head.padEnd(30) + first] : [head, ' '.repeat(30) + first];
  return [...start, ...rest.map((line) => ' '.repeat(30) + line)];
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function placeholder({ schema }: Flag): string {
  if (schema.type === 'integer') return 'N';
  if (schema.type === 'number') return 'X';
  if (schema.enum) return 'NAME';
  return schema.type === 'array' ? 'A,B' : 'VALUE';
}

function shown(value: unknown): string {
  return Array.isArray(value) ? value.join(',') : String(value);
}

function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!;
    if (last === '') lines[lines.length - 1] = word;
    else if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
