/** What the contract suite measured of one case on one engine. */
interface Entry {
  /** The largest error of the value and of all gradients, in the suite's measure. */
  readonly error: number;
  readonly ms: number;
}

/** The table of the contract suite: case by engine, each with its error and its time. */
export class ContractTable {
  readonly #columns = new Map<string, Map<string, Entry>>();
  readonly #absent: string[] = [];

  add(engine: string, name: string, entry: Entry): void {
    const column = this.#columns.get(engine) ?? new Map<string, Entry>();
    this.#columns.set(engine, column.set(name, entry));
  }

  /** Notes that an engine cannot run here, and why. */
  absent(engine: string): void {
    this.#absent.push(engine);
  }

  /** The table as text, and a line for each engine with its largest error and its time. */
  toString(): string {
    const engines = [...this.#columns.keys()];
    const names = [...new Set([...this.#columns.values()].flatMap((column) => [...column.keys()]))];
    const first = Math.max(...names.map((name) => name.length), 0);
    const width = 18;
    const cell = (entry: Entry | undefined) =>
      entry ? `${entry.error.toExponential(1)} ${entry.ms.toFixed(0)} ms` : '–';
    const row = (name: string, cells: readonly string[]) =>
      `${name.padEnd(first)}${cells.map((text) => text.padStart(width)).join('')}`;
    return [
      'engine × case: largest error, time',
      row('', engines),
      ...names.map((name) =>
        row(
          name,
          engines.map((engine) => cell(this.#columns.get(engine)!.get(name))),
        ),
      ),
      ...engines.map((engine) => summary(engine, this.#columns.get(engine)!)),
      ...this.#absent.map((engine) => `${engine}: not installed here`),
    ].join('\n');
  }
}

function summary(engine: string, column: ReadonlyMap<string, Entry>): string {
  const [worst] = [...column].toSorted(([, a], [, b]) => b.error - a.error);
  const seconds = [...column.values()].reduce((total, { ms }) => total + ms, 0) / 1000;
  return `${engine}: ${column.size} cases, largest error ${worst![1].error.toExponential(1)} (${worst![0]}), ${seconds.toFixed(1)} s`;
}
