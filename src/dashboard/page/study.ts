import type { StudyView, TrialRow } from '../study-protocol.js';
import { element, figure, table } from './dom.js';
import { parallel } from './parallel.js';
import { history, intermediate } from './study-charts.js';

/** Milliseconds between two questions, while the view is open. */
const AGAIN = 2000;

/** A study of the storage: its history, parameters, curves and trials, kept up to date while it is open. */
export class Study {
  readonly #choice = element('select', { id: 'study' });
  readonly #content = element('div', { class: 'study' });
  readonly box = element(
    'div',
    {},
    element('div', { class: 'slider' }, element('label', { htmlFor: 'study' }, 'Study'), this.#choice),
    this.#content,
  );
  #timer: ReturnType<typeof setTimeout> | undefined;
  #key = '';

  /** @param open shows a trial's run */
  constructor(private readonly open: (run: string) => void) {
    this.#choice.addEventListener('change', () => void this.start());
  }

  /** Asks now, and again until `stop`. */
  async start(): Promise<void> {
    this.stop();
    const timer = setTimeout(() => void this.start(), AGAIN);
    this.#timer = timer;
    try {
      if (!document.hidden) await this.#ask();
    } catch (error) {
      this.#say((error as Error).message);
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Draws again, as when the theme changes. */
  clear(): void {
    this.#key = '';
  }

  async #ask(): Promise<void> {
    const names = (await json('/api/studies')) as string[];
    if (names.join('\n') !== [...this.#choice.options].map(({ value }) => value).join('\n')) {
      const { value } = this.#choice;
      this.#choice.replaceChildren(...names.map((name) => element('option', { value: name }, name)));
      this.#choice.value = names.includes(value) ? value : (names.at(-1) ?? '');
    }
    if (names.length === 0)
      return this.#say('No studies: start the dashboard with --storage, or in the folder of study.db.');
    const view = (await json(`/api/studies/${encodeURIComponent(this.#choice.value)}`)) as StudyView;
    const key = JSON.stringify(view);
    if (key === this.#key) return;
    this.#key = key;
    this.#show(view);
  }

  #say(text: string): void {
    this.#key = '';
    this.#content.replaceChildren(element('p', { class: 'hint' }, text));
  }

  #show(view: StudyView): void {
    const counts = new Map<string, number>();
    for (const { state } of view.trials) counts.set(state, (counts.get(state) ?? 0) + 1);
    const states = [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
    const omitted = view.omitted > 0 ? `; the first ${view.omitted} are left out` : '';
    const section = (title: string, ...children: (Node | null)[]) =>
      element('section', { class: 'chart' }, element('h3', {}, title), ...children);
    const boxes = { history: element('div'), intermediate: element('div') };
    this.#content.replaceChildren(
      element('p', { class: 'hint' }, `${states}${omitted}`),
      section('History', boxes.history),
      section('Importances', importances(view)),
      section('Parallel coordinates', parallel(view)),
      section('Intermediate values', boxes.intermediate),
      section('Trials', this.#trials(view)),
    );
    // Once they are on the page, so that their width is known.
    history(view, boxes.history);
    intermediate(view, boxes.intermediate);
  }

  #trials({ trials, axes, metrics }: StudyView): HTMLElement {
    const columns = [
      'trial',
      'state',
      ...metrics,
      ...axes.map(({ name }) => name),
      'seconds',
      'run',
      'reason',
    ];
    const rows = trials
      .toReversed()
      .map((trial): string[] => [
        String(trial.number),
        trial.state,
        ...metrics.map((_, i) => figure(trial.values?.[i])),
        ...axes.map(({ name }) => shown(trial, name)),
        figure(trial.seconds),
        trial.run ?? '',
        trial.reason ?? '',
      ]);
    const made = table('The newest first', columns, rows);
    made.querySelectorAll('tbody tr').forEach((line, i) => {
      const trial = trials[trials.length - 1 - i]!;
      line.setAttribute('data-state', trial.state);
      const { run } = trial;
      if (run === null) return;
      const button = element('button', { type: 'button' }, run);
      button.addEventListener('click', () => this.open(run));
      line.children[columns.indexOf('run')]!.replaceChildren(button);
    });
    return made;
  }
}

async function json(path: string): Promise<unknown> {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}

function shown({ params }: TrialRow, name: string): string {
  const value = params[name];
  return value === undefined ? '–' : typeof value === 'number' ? figure(value) : String(value);
}

function importances({ importances: ranked, unexplained }: StudyView): HTMLElement {
  if (unexplained !== null) return element('p', { class: 'hint' }, unexplained);
  const made = table(
    'fANOVA, of the first objective',
    ['parameter', 'importance'],
    ranked.map(([name, importance]) => [name, importance < 0.005 ? '< 0.01' : importance.toFixed(2)]),
  );
  made.querySelectorAll('td').forEach((cell, i) => {
    cell.classList.add('bar');
    cell.style.setProperty('--share', `${Math.round(100 * ranked[i]![1])}%`);
  });
  return made;
}
