import { Charts } from './charts.js';
import { element, setText } from './dom.js';
import { Live, type LiveRun } from './live.js';
import { Pictures } from './pictures.js';
import { filterOf, RunList } from './run-list.js';
import { Scores } from './scores.js';
import { Study } from './study.js';
import { colorAt, toggleTheme, watchTheme } from './theme.js';

/** The most runs that are compared at once. */
const MOST_SELECTED = 100;

/** What the page shows of the selected runs. */
const VIEWS = ['Charts', 'Pictures', 'Scores', 'Study'] as const;
type View = (typeof VIEWS)[number];

class Page {
  readonly #live = new Live(() => this.#draw());
  readonly #charts = new Charts();
  readonly #pictures = new Pictures();
  readonly #scores = new Scores();
  readonly #study = new Study((run) => {
    this.#select([run]);
    this.#open('Charts');
  });
  readonly #list = new RunList((run, on) =>
    this.#select(on ? [...this.#selected, run] : this.#selected.filter((name) => name !== run)),
  );
  readonly #search = element('input', {
    type: 'search',
    id: 'search',
    placeholder: 'name adapter=lora lr<=1e-3',
  });
  readonly #said = element('p', { class: 'said', role: 'status' });
  readonly #smoothing = element('input', {
    type: 'range',
    id: 'smoothing',
    min: '0',
    max: '0.99',
    step: '0.01',
    value: '0',
  });
  readonly #tabs = new Map<View, HTMLButtonElement>();
  readonly #main = element('main', { id: 'main' });
  #selected: string[] = JSON.parse(decodeURIComponent(location.hash.slice(1)) || '[]') as string[];
  #shown: string[] = [];
  #matching: ReadonlySet<string> | undefined;
  #wrong = '';
  #view: View = 'Charts';
  #due = false;

  start(): void {
    watchTheme(() => this.#recolor());
    this.#search.addEventListener('input', () => void this.#filter());
    this.#smoothing.addEventListener('input', () => this.#draw());
    for (const view of VIEWS) {
      const tab = element('button', { type: 'button' }, view);
      tab.addEventListener('click', () => this.#open(view));
      this.#tabs.set(view, tab);
    }
    document.body.append(...this.#layout());
    document.addEventListener('keydown', (event) => this.#key(event));
    this.#open('Charts');
    this.#live.select(this.#selected);
  }

  #layout(): HTMLElement[] {
    const button = (text: string, title: string, act: () => void) => {
      const made = element('button', { type: 'button', title }, text);
      made.addEventListener('click', act);
      return made;
    };
    const theme = button('Theme', 'light or dark (t)', () => {
      toggleTheme();
      this.#recolor();
    });
    const views = element('nav', { 'aria-label': 'Views' }, ...this.#tabs.values());
    const header = element('header', {}, element('h1', {}, 'Millrace'), views, theme);
    const list = element(
      'details',
      { class: 'side', open: innerWidth > 700 },
      element('summary', {}, 'Runs'),
      element('label', { htmlFor: 'search' }, 'Search and filter (/)'),
      this.#search,
      element(
        'p',
        { class: 'buttons' },
        button('Compare all shown', 'selects the runs of the list', () => this.#select(this.#shown)),
        button('Clear', 'selects none', () => this.#select([])),
      ),
      this.#said,
      this.#list.box,
    );
    return [
      header,
      element(
        'div',
        { class: 'columns' },
        element('aside', { 'aria-label': 'List of runs' }, list),
        this.#main,
      ),
    ];
  }

  #open(view: View): void {
    this.#view = view;
    for (const [name, tab] of this.#tabs) tab.setAttribute('aria-pressed', String(name === view));
    const smoothing = element(
      'div',
      { class: 'slider' },
      element('label', { htmlFor: 'smoothing' }, 'Smoothing'),
      this.#smoothing,
    );
    const parts = {
      Charts: [smoothing, this.#charts.box],
      Pictures: [this.#pictures.box],
      Scores: [this.#scores.box],
      Study: [this.#study.box],
    }[view];
    this.#main.replaceChildren(element('h2', {}, view), ...parts);
    if (view === 'Study') void this.#study.start();
    else this.#study.stop();
    this.#draw();
  }

  #select(names: readonly string[]): void {
    this.#selected = [...new Set(names)].slice(0, MOST_SELECTED);
    history.replaceState(null, '', `#${encodeURIComponent(JSON.stringify(this.#selected))}`);
    this.#live.select(this.#selected);
    this.#draw();
  }

  /** Asks the server which runs meet the conditions, so that they mean what they do for `millrace runs`. */
  async #filter(): Promise<void> {
    const text = this.#search.value;
    const { conditions } = filterOf(text);
    this.#wrong = '';
    this.#matching = undefined;
    if (conditions.length > 0) {
      const answer = await fetch(`/api/runs?${new URLSearchParams(conditions.map((one) => ['where', one]))}`);
      if (this.#search.value !== text) return;
      if (answer.ok) {
        const { runs } = (await answer.json()) as { runs: { name: string }[] };
        this.#matching = new Set(runs.map(({ name }) => name));
      } else this.#wrong = (await answer.text()).replace(/^--where /, '').trim();
    }
    this.#draw();
  }

  #key(event: KeyboardEvent): void {
    if (event.key === 'Escape') this.#search.blur();
    const isTyping = event.target instanceof HTMLInputElement && event.target.type === 'search';
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === '/') {
      event.preventDefault();
      this.#search.focus();
    } else if (event.key === 't') {
      toggleTheme();
      this.#recolor();
    } else if (/^[1-9]$/.test(event.key)) {
      const view = VIEWS[Number(event.key) - 1];
      if (view) this.#open(view);
    }
  }

  #recolor(): void {
    this.#charts.clear();
    this.#study.clear();
    this.#draw();
  }

  /** Draws what has changed at the next frame, once, however many changes there are until then. */
  #draw(): void {
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => {
      this.#due = false;
      this.#now();
    });
  }

  #now(): void {
    const { runs, problems, connected } = this.#live;
    this.#begin(runs);
    const place = new Map(this.#selected.map((name, i) => [name, i]));
    const colorOf = (name: string) => (place.has(name) ? colorAt(place.get(name)!) : undefined);
    const { words } = filterOf(this.#search.value);
    this.#shown = this.#list.show(runs, { words, matching: this.#matching }, colorOf);
    const state = connected ? `${this.#shown.length} of ${runs.size} runs` : 'connecting …';
    setText(this.#said, [this.#wrong || state, ...problems].join('; '));
    const selected = this.#selected.flatMap((name) => runs.get(name) ?? []);
    if (this.#view === 'Charts')
      this.#charts.draw(selected, {
        colorOf: (name) => colorOf(name) ?? colorAt(0),
        smoothing: Number(this.#smoothing.value),
      });
    else if (this.#view === 'Pictures') this.#pictures.show(selected);
    else if (this.#view === 'Scores') this.#scores.show(selected);
  }

  /** Without a selection in the address: the newest run, as soon as the list is known. */
  #begin(runs: ReadonlyMap<string, LiveRun>): void {
    if (location.hash !== '' || this.#selected.length > 0 || !this.#live.connected || runs.size === 0) return;
    const [newest] = [...runs.values()].toSorted((a, b) => (b.row.started ?? 0) - (a.row.started ?? 0));
    this.#select([newest!.row.name]);
  }
}

new Page().start();
