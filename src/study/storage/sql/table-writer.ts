import type { Database } from './database.js';
import type { Tables } from './tables.js';

/** Column types that differ between databases. */
const TYPES = {
  sqlite: { key: 'integer not null', date: 'datetime', float: 'float' },
  postgresql: { key: 'serial not null', date: 'timestamp without time zone', float: 'double precision' },
  mysql: { key: 'integer not null auto_increment', date: 'datetime', float: 'double' },
} as const;

const ENUMS = {
  studydirection: ['NOT_SET', 'MINIMIZE', 'MAXIMIZE'],
  trialstate: ['RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING'],
  trialvaluetype: ['FINITE', 'INF_POS', 'INF_NEG'],
  trialintermediatevaluetype: ['FINITE', 'INF_POS', 'INF_NEG', 'NAN'],
} as const;

export const OF_STUDY = 'foreign key (study_id) references studies (study_id)';
export const OF_TRIAL = 'foreign key (trial_id) references trials (trial_id)';

/** Writes the statements that create tables, in the dialect of one database. */
export class TableWriter {
  readonly date: string;
  readonly float: string;

  /** @param collation how MySQL compares the tables' texts */
  constructor(
    private readonly kind: Database['kind'],
    private readonly collation?: string,
  ) {
    ({ date: this.date, float: this.float } = TYPES[kind]);
  }

  /** The types of enumerations, if they are created before the tables. */
  enums(): string[] {
    if (this.kind !== 'postgresql') return [];
    return Object.entries(ENUMS).map(([name, values]) => `create type ${name} as enum (${quoted(values)})`);
  }

  /** The type of an enumeration's column. */
  oneOf(name: keyof typeof ENUMS): string {
    if (this.kind === 'sqlite') return `varchar(${Math.max(...ENUMS[name].map((value) => value.length))})`;
    return this.kind === 'mysql' ? `enum(${quoted(ENUMS[name])})` : name;
  }

  /** @param id the column of the primary key, which is numbered */
  table(name: keyof Tables, id: string, columns: readonly string[]): string {
    const all = [`${id} ${TYPES[this.kind].key}`, ...columns, `primary key (${id})`];
    const text = this.kind === 'mysql' ? ` character set utf8mb4 collate ${this.collation}` : '';
    return `create table ${name} (${all.join(', ')})${text}`;
  }

  /** The table of the user's or the system's attributes. */
  attributes(of: 'study' | 'trial', which: 'user' | 'system'): string {
    const key = this.kind === 'mysql' ? '`key`' : '"key"';
    return this.table(`${of}_${which}_attributes`, `${of}_${which}_attribute_id`, [
      `${of}_id integer`,
      `${key} varchar(512)`,
      'value_json text',
      `unique (${of}_id, ${key})`,
      of === 'study' ? OF_STUDY : OF_TRIAL,
    ]);
  }
}

function quoted(values: readonly string[]): string {
  return values.map((value) => `'${value}'`).join(', ');
}
