import distance from 'damerau-levenshtein';

/**
 * The candidate that is nearest to `word`; undefined if none is near.
 *
 * Near is a Damerau–Levenshtein distance (insert, delete, replace, swap neighbours) of
 * at most a third of the longer word, and at least one. Case, `-` and `_` do not count.
 *
 * @example
 * nearest('epocs', ['epochs', 'rank']); // => 'epochs'
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  const own = plain(word);
  for (const candidate of candidates) {
    const limit = Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3));
    const other = plain(candidate);
    // Each character more is a step: a word of thousands of characters is not compared, which takes seconds.
    if (Math.abs(own.length - other.length) > limit) continue;
    const { steps } = distance(own, other);
    if (steps <= limit && steps < least) {
      best = candidate;
      least = steps;
    }
  }
  return best;
}

/**
 * The end of an error message: `; did you mean …?`, or the empty string where nothing is near. Candidates that `word` is the
 * first part of are near, too: `--model` may be `--model-name`.
 */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const all = [...candidates];
  const longer = all.filter(
    (candidate) => /^[-_]./.test(candidate.slice(word.length)) && candidate.startsWith(word),
  );
  const near = [...new Set([nearest(word, all), ...longer.slice(0, 3)])].filter((each) => each !== undefined);
  return near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`;
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[-_]/g, '');
}
