/**
 * The candidate that `word` most likely meant, or undefined where none is near.
 *
 * Near is a Damerau–Levenshtein distance (optimal string alignment: insert, delete, replace, swap neighbours) of
 * at most a third of the longer word, and at least one. Case, `-` and `_` do not count.
 *
 * @example
 * nearest('epocs', ['epochs', 'rank']); // => 'epochs'
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const limit = Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3));
    const found = distance(plain(word), plain(candidate));
    if (found <= limit && found < least) {
      best = candidate;
      least = found;
    }
  }
  return best;
}

/** The end of an error message: `; did you mean …?`, or the empty string where nothing is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const found = nearest(word, candidates);
  return found === undefined ? '' : `; did you mean ${found}?`;
}

function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j]!, beforeLast[j - 2]! + 1);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[-_]/g, '');
}
