import type { StudyView } from '../../contracts/study-view.js';
import { type Distribution, isSingle, type SearchSpace } from '../../trials/distribution.js';

/**
 * The parameters of a study in groups, such that each trial has all of a group or none of it: what conditional spaces
 * fall into. Kept up to date at the cost of what is new.
 */
export class ParameterGroups {
  #groups: Map<string, Distribution>[] = [];
  #seen = 0;

  constructor(private readonly study: StudyView) {}

  /** Each group in the order of its names, without the single-valued. */
  current(): readonly SearchSpace[] {
    const { finished } = this.study;
    for (; this.#seen < finished.length; this.#seen++) {
      const { state, distributions } = finished[this.#seen]!;
      if (state !== 'FAIL') this.#add(distributions);
    }
    return this.#groups.map(
      (group) =>
        new Map(
          [...group]
            .filter(([, distribution]) => !isSingle(distribution))
            .sort(([a], [b]) => (a < b ? -1 : 1)),
        ),
    );
  }

  #add(distributions: Readonly<Record<string, Distribution>>): void {
    const names = new Set(Object.keys(distributions));
    const next: Map<string, Distribution>[] = [];
    for (const group of this.#groups) {
      const both = [...group].filter(([name]) => names.has(name));
      for (const [name] of both) names.delete(name);
      if (both.length === group.size) next.push(group);
      else
        next.push(
          new Map(both),
          new Map([...group].filter(([name]) => !both.some(([shared]) => shared === name))),
        );
    }
    next.push(new Map([...names].map((name) => [name, distributions[name]!])));
    this.#groups = next.filter(({ size }) => size > 0);
  }
}
