import { element, figure, table } from './dom.js';
import type { LiveRun } from './live.js';

/** Tables of the selected runs' last scores: by class, and the confusion of classes. */
export class Scores {
  readonly box = element('div', { class: 'scores' });
  #key = '';

  show(runs: readonly LiveRun[]): void {
    const key = JSON.stringify(runs.map(({ row, splits }) => [row.name, splits]));
    if (key === this.#key) return;
    this.#key = key;
    const parts = runs.flatMap(({ row, splits }) =>
      Object.entries(splits).map(([split, { epoch, scores }]) =>
        element(
          'section',
          {},
          element('h3', {}, `${row.name}: ${split}, epoch ${epoch}`),
          ...tablesOf(scores, row.classes),
        ),
      ),
    );
    const empty = element('p', { class: 'hint' }, 'No scores in the selected runs yet.');
    this.box.replaceChildren(...(parts.length > 0 ? parts : [empty]));
  }
}

function tablesOf(scores: Readonly<Record<string, unknown>>, classes: readonly string[]): HTMLElement[] {
  const all = Object.entries(scores);
  const isMatrix = (value: unknown): value is number[][] => Array.isArray(value) && Array.isArray(value[0]);
  const vectors = all.filter(([, value]) => Array.isArray(value) && !isMatrix(value)) as [
    string,
    unknown[],
  ][];
  const matrices = all.filter((entry): entry is [string, number[][]] => isMatrix(entry[1]));
  const numbers = all.filter(([, value]) => !Array.isArray(value));
  const count = Math.max(0, ...vectors.map(([, values]) => values.length));
  const nameOf = (i: number) => classes[i] ?? `class ${i}`;
  const rows = Array.from({ length: count }, (_, i) => [
    nameOf(i),
    ...vectors.map(([, values]) => figure(values[i])),
  ]);
  return [
    table(
      'Overall',
      ['score', 'value'],
      numbers.map(([name, value]) => [name, figure(value)]),
    ),
    ...(count > 0 ? [table('By class', ['class', ...vectors.map(([name]) => name)], rows)] : []),
    ...matrices.map(([name, matrix]) => confusion(name, matrix, nameOf)),
  ];
}

/** Targets in rows, predictions in columns; a cell is shaded by its share of its row. */
function confusion(name: string, matrix: number[][], nameOf: (i: number) => string): HTMLElement {
  const columns = ['target / predicted', ...matrix.map((_, i) => nameOf(i))];
  const sums = matrix.map((row) => row.reduce((a, b) => a + b, 0));
  const share = (i: number, j: number) => (sums[i]! > 0 ? matrix[i]![j]! / sums[i]! : 0);
  const rows = matrix.map((row, i) => [
    nameOf(i),
    ...row.map((value, j) => `${figure(value)} (${(100 * share(i, j)).toFixed(1)} %)`),
  ]);
  const made = table(name === 'confusion' ? 'Confusion' : name, columns, rows);
  made.querySelectorAll('td').forEach((cell, k) => {
    const [i, j] = [Math.floor(k / matrix.length), k % matrix.length];
    cell.style.setProperty('--share', `${Math.round(35 * share(i, j))}%`);
    cell.classList.add('shaded');
  });
  return made;
}
