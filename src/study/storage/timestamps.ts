/**
 * The clock of a database's dates, which have no zone. Optuna writes local time up to 4.9 and UTC from 5.0, in the
 * same revision; only the version of the library that created the database tells.
 */
export type Clock = 'local' | 'utc';

export function clockOf(libraryVersion: string): Clock {
  return Number.parseInt(libraryVersion, 10) >= 5 ? 'utc' : 'local';
}

/** Milliseconds since 1970 as 'YYYY-MM-DD HH:MM:SS.ffffff'. */
export function formatTime(time: number, clock: Clock): string {
  const shift = clock === 'utc' ? 0 : new Date(time).getTimezoneOffset() * 60_000;
  return `${new Date(time - shift).toISOString().slice(0, -1).replace('T', ' ')}000`;
}

/**
 * Milliseconds since 1970 from a naive date, to the millisecond; null stays null.
 *
 * @throws TypeError when the text is no date.
 */
export function parseTime(text: string | null, clock: Clock): number | null {
  if (text === null) return null;
  const [, date, time, fraction = ''] = /^(\d+-\d+-\d+)[ T]?(\d+:\d+:\d+)?(?:\.(\d+))?/.exec(text) ?? [];
  const iso = `${date}T${time ?? '00:00:00'}.${fraction.padEnd(3, '0').slice(0, 3)}`;
  const milliseconds = new Date(clock === 'utc' ? `${iso}Z` : iso).getTime();
  if (Number.isNaN(milliseconds)) throw new TypeError(`expected a date, got ${JSON.stringify(text)}`);
  return milliseconds;
}
