/**
 * Text that is safe to print on a terminal: control characters, such as those of an escape sequence in a file's name,
 * are spelled as `\x1b`, and the marks that reorder a line as `\u202e`. Line ends and tabs stay.
 *
 * @example
 * printable('a\x1b[2Jb.png'); // => 'a\\x1b[2Jb.png'
 */
export function printable(text: string): string {
  return text.replaceAll(/(?![\n\t])[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (mark) => {
    const code = mark.codePointAt(0)!.toString(16);
    return mark < '\u0100' ? `\\x${code.padStart(2, '0')}` : `\\u${code.padStart(4, '0')}`;
  });
}

/**
 * Text from a file, such as a name in it, for a one-line error: line ends are spelled out, too, and its length is
 * bounded.
 */
export function oneLine(text: string): string {
  const line = printable(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t');
  return line.length > 400 ? `${line.slice(0, 400)}…` : line;
}
