type Child = Node | string | null;

/** An element with its properties and children; `aria-*`, `data-*`, `class` and `for` are attributes. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Readonly<Record<string, unknown>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made && !name.includes('-')) Object.assign(made, { [name]: value });
    else made.setAttribute(name === 'class' ? 'class' : name, String(value));
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Sets a text only where it differs, so that nothing is laid out again. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** A number in four digits, or a dash where there is none. */
export function figure(value: unknown): string {
  if (typeof value !== 'number' || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

/** A table with a heading for each column, and one for each row. */
export function table(
  caption: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): HTMLElement {
  const head = element('tr', {}, ...columns.map((name) => element('th', { scope: 'col' }, name)));
  const lines = rows.map(([name = '', ...cells]) =>
    element('tr', {}, element('th', { scope: 'row' }, name), ...cells.map((cell) => element('td', {}, cell))),
  );
  const made = element(
    'table',
    {},
    element('caption', {}, caption),
    element('thead', {}, head),
    element('tbody', {}, ...lines),
  );
  // What is wider than a phone is scrolled, by keyboard, too.
  return element('div', { class: 'scroll', tabIndex: 0, role: 'group', 'aria-label': caption }, made);
}
