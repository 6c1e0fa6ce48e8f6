import type { Json } from './frozen-trial.js';

/** Strings, or one of the literals that Python's JSON has and JSON lacks. */
const TOKENS = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g;
/** Stands for a literal while JSON.parse runs; no attribute begins with this private-use character by accident. */
const MARK = '\uf8ff';
const LITERALS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

/**
 * Parses JSON as Python writes it, with NaN, Infinity and -Infinity.
 *
 * Integers beyond 2^53 lose digits, as in every JSON.parse.
 */
export function parsePythonJson(text: string): Json {
  if (!text.includes('NaN') && !text.includes('Infinity')) return JSON.parse(text) as Json;
  const markedText = text.replace(TOKENS, (token) => (token.startsWith('"') ? token : `"${MARK}${token}"`));
  return JSON.parse(markedText, (_, value: Json) =>
    typeof value === 'string' && value.startsWith(MARK) ? (LITERALS[value.slice(1)] ?? value) : value,
  ) as Json;
}

/**
 * Writes JSON that Python's json.loads reads back with the same NaN and infinities; fields of undefined are left out.
 *
 * A whole number is an int to Python, unless `numberText` is `floatText`.
 */
export function toPythonJson(value: Json, numberText: (x: number) => string = plainText): string {
  if (typeof value === 'number') return numberText(value);
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value))
    return `[${value.map((each: Json) => toPythonJson(each, numberText)).join(', ')}]`;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}: ${toPythonJson(field as Json, numberText)}`).join(', ')}}`;
}

function plainText(x: number): string {
  if (Number.isFinite(x)) return JSON.stringify(x);
  return Number.isNaN(x) ? 'NaN' : x > 0 ? 'Infinity' : '-Infinity';
}

/** A number as Python writes a float: `1.0` and `-0.0`. */
export function floatText(x: number): string {
  const text = Object.is(x, -0) ? '-0' : plainText(x);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
