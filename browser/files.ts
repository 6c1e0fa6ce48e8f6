import { UserError } from '../src/base/errors.js';
import type { Json } from '../src/files/json-file.js';
import { badSafetensors, parseSafetensors, type StoredTensor } from '../src/files/safetensors-format.js';

/** Files that the user chose, by name. */
export class ChosenFiles {
  readonly #files: ReadonlyMap<string, File>;

  constructor(files: Iterable<File>) {
    this.#files = new Map([...files].map((file) => [file.name, file]));
  }

  has(name: string): boolean {
    return this.#files.has(name);
  }

  /** The tensors of a .safetensors file. @throws UserError where it was not chosen or is damaged. */
  async tensors(name: string): Promise<ReadonlyMap<string, StoredTensor>> {
    const file = this.#file(name);
    const read = (from: number, length: number) => file.slice(from, from + length).arrayBuffer();
    return (await parseSafetensors({ size: file.size, read }, badSafetensors(name))).tensors;
  }

  /** The object in a JSON file; undefined if it was not chosen. */
  async json(name: string): Promise<Json | undefined> {
    if (!this.has(name)) return undefined;
    try {
      return JSON.parse(await this.#file(name).text()) as Json;
    } catch (cause) {
      throw new UserError(`${name}: expected JSON, got ${(cause as Error).message}`, { name }, { cause });
    }
  }

  #file(name: string): File {
    const file = this.#files.get(name);
    if (file) return file;
    const names = [...this.#files.keys()].join(', ') || 'none';
    throw new UserError(`expected ${name} among the files, got ${names}; choose it as well`, { name });
  }
}
