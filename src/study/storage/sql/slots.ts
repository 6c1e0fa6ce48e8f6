import type { CompiledQuery } from 'kysely';

/** A placeholder in a statement for a value that is supplied when it runs. */
class Slot {
  constructor(readonly name: string) {}
}

/**
 * A place for a value of any type: a statement with slots is built once and run with other values each time, since
 * building one takes Kysely about as long as running it takes the server.
 */
export function slot<T>(name: string): T {
  return new Slot(name) as T;
}

/** The statement with the values in its slots. */
export function filled<R>(
  statement: CompiledQuery<R>,
  values: Readonly<Record<string, unknown>>,
): CompiledQuery<R> {
  const parameters = statement.parameters.map((each) => (each instanceof Slot ? values[each.name] : each));
  return { ...statement, parameters };
}

/** The statement's text with its parameters, numbers and strings, as literals of PostgreSQL. */
export function inlined({ sql, parameters }: CompiledQuery): string {
  return sql.replace(/\$(\d+)/g, (_, place: string) => literal(parameters[Number(place) - 1]));
}

function literal(value: unknown): string {
  if (typeof value === 'number') return String(value);
  return `'${String(value).replaceAll("'", "''")}'`;
}
