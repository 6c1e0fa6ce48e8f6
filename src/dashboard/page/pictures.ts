import { element, setText } from './dom.js';
import type { LiveRun } from './live.js';

const addressOf = (run: string, path: string) =>
  `/api/runs/${encodeURIComponent(run)}/files/${path.split('/').map(encodeURIComponent).join('/')}`;

/** Drawings of the selected runs' predictions, epoch by epoch: one slider for all. */
export class Pictures {
  readonly #slider = element('input', { type: 'range', min: '0', value: '0', id: 'epoch' });
  readonly #said = element('output', { htmlFor: 'epoch' });
  readonly #figures = element('div', { class: 'pictures' });
  readonly #empty = element(
    'p',
    { class: 'hint' },
    'No pictures in the selected runs: trainings draw them unless --pictures is 0.',
  );
  readonly #controls = element(
    'div',
    { class: 'slider' },
    element('label', { htmlFor: 'epoch' }, 'Epoch'),
    this.#slider,
    this.#said,
  );
  readonly box = element('div', {}, this.#controls, this.#empty, this.#figures);
  #runs: readonly LiveRun[] = [];
  /** Whether the slider stays at the last epoch as more come. */
  #follows = true;

  constructor() {
    this.#slider.addEventListener('input', () => {
      this.#follows = this.#slider.value === this.#slider.max;
      this.#draw();
    });
  }

  show(runs: readonly LiveRun[]): void {
    this.#runs = runs.filter(({ pictures }) => pictures.length > 0);
    const epochs = this.#epochs();
    this.#slider.max = String(Math.max(0, epochs.length - 1));
    if (this.#follows) this.#slider.value = this.#slider.max;
    this.#empty.hidden = epochs.length > 0;
    this.#controls.hidden = epochs.length === 0;
    this.#draw();
  }

  #epochs(): number[] {
    const epochs = this.#runs.flatMap(({ pictures }) => pictures.map(({ epoch }) => epoch));
    return [...new Set(epochs)].toSorted((a, b) => a - b);
  }

  #draw(): void {
    const epoch = this.#epochs()[Number(this.#slider.value)];
    setText(this.#said, epoch === undefined ? '' : String(epoch));
    this.#slider.setAttribute('aria-valuetext', `epoch ${epoch ?? '–'}`);
    const shown = this.#runs.map(({ row, pictures }) => {
      const picture = pictures.findLast((one) => epoch === undefined || one.epoch <= epoch)!;
      return picture && { run: row.name, picture };
    });
    const present = shown.filter((one) => one !== undefined);
    const key = present.map(({ run, picture }) => `${run}/${picture.path}`).join('\n');
    if (this.#figures.dataset['key'] === key) return;
    this.#figures.dataset['key'] = key;
    this.#figures.replaceChildren(
      ...present.map(({ run, picture }) => {
        const text = `${run}, ${picture.name}, epoch ${picture.epoch}`;
        const alt = `Input, target and prediction: ${text}`;
        return element(
          'figure',
          {},
          element('img', { src: addressOf(run, picture.path), alt }),
          element('figcaption', {}, text),
        );
      }),
    );
  }
}
