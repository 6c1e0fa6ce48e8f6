import { element, figure, setText } from './dom.js';
import type { LiveRun } from './live.js';

/** A line of the list. */
interface Item {
  readonly line: HTMLLIElement;
  readonly check: HTMLInputElement;
  readonly swatch: HTMLElement;
  readonly state: HTMLElement;
  readonly about: HTMLElement;
}

/** Words find runs by name and adapter; conditions such as `lr<=1e-3` are the server's to read. */
export interface Filter {
  readonly words: readonly string[];
  readonly conditions: readonly string[];
}

export function filterOf(text: string): Filter {
  const parts = text.split(/[\s,]+/).filter((part) => part !== '');
  const isCondition = (part: string) => /[=<>]/.test(part);
  return {
    words: parts.filter((part) => !isCondition(part)).map((word) => word.toLowerCase()),
    conditions: parts.filter(isCondition),
  };
}

/** The list of runs, the newest first, each to be ticked. */
export class RunList {
  readonly box = element('ul', { class: 'runs', 'aria-label': 'Runs' });
  readonly #items = new Map<string, Item>();
  #order = '';

  constructor(private readonly tick: (run: string, on: boolean) => void) {}

  /** The names in the order of the list, of those that the filter leaves. */
  show(
    runs: ReadonlyMap<string, LiveRun>,
    { words, matching }: { readonly words: readonly string[]; readonly matching?: ReadonlySet<string> },
    colorOf: (run: string) => string | undefined,
  ): string[] {
    const isShown = ({ row }: LiveRun) =>
      (!matching || matching.has(row.name)) &&
      words.every((word) => `${row.name} ${row.adapter} ${row.state}`.toLowerCase().includes(word));
    const shown = [...runs.values()]
      .filter(isShown)
      .toSorted((a, b) => (b.row.started ?? 0) - (a.row.started ?? 0) || (a.row.name < b.row.name ? -1 : 1));
    const names = shown.map(({ row }) => row.name);
    for (const { row } of shown) this.#update(row, colorOf(row.name));
    const order = names.join('/');
    if (order !== this.#order) {
      this.#order = order;
      this.box.replaceChildren(...names.map((name) => this.#items.get(name)!.line));
    }
    return names;
  }

  #update(row: LiveRun['row'], color: string | undefined): void {
    const { check, swatch, state, about } = this.#items.get(row.name) ?? this.#make(row.name);
    check.checked = color !== undefined;
    // Only where it differs: a style that is set is computed again.
    if (swatch.dataset['color'] !== color) {
      swatch.style.background = color ?? 'transparent';
      Object.assign(swatch.dataset, { color });
    }
    setText(state, row.state);
    state.dataset['state'] = row.state;
    const score = Object.entries(row.scores).find(([name]) => name !== 'loss');
    const parts = [
      row.adapter ?? '',
      row.epochs === null ? `step ${row.step}` : `epoch ${row.epoch}/${row.epochs}`,
      score ? `${score[0]} ${figure(score[1])}` : '',
      row.malformed > 0 ? `${row.malformed} malformed line${row.malformed > 1 ? 's' : ''}` : '',
    ];
    setText(about, parts.filter((part) => part !== '').join(' · '));
    about.title = row.problem ?? '';
  }

  #make(name: string): Item {
    const check = element('input', { type: 'checkbox' });
    check.addEventListener('change', () => this.tick(name, check.checked));
    const swatch = element('span', { class: 'swatch' });
    const state = element('span', { class: 'state' });
    const about = element('span', { class: 'about' });
    const label = element('label', {}, check, swatch, element('span', { class: 'name' }, name), state, about);
    const item = { line: element('li', {}, label), check, swatch, state, about };
    this.#items.set(name, item);
    return item;
  }
}
