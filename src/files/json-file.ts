import { readFile } from 'node:fs/promises';
import { UserError } from '../base/errors.js';
import { oneLine } from '../base/printable.js';
import { whatIsThere } from '../base/what-is-there.js';

export type Json = Readonly<Record<string, unknown>>;

/** Reads a JSON object; undefined if there is no such file. @throws UserError naming the file. */
export async function readJson(path: string): Promise<Json | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new UserError(
      `${path}: expected a file to read, got ${whatIsThere(error)}`,
      { path },
      { cause: error },
    );
  });
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new UserError(
      `${path}: expected JSON, got ${oneLine((cause as Error).message)}`,
      { path },
      { cause },
    );
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new UserError(`${path}: expected an object of JSON, got ${JSON.stringify(json).slice(0, 40)}`, {
      path,
    });
  return json as Json;
}
