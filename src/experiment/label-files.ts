import { type FileHandle, open } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { PictureLabels } from '../../operators/label-probabilities.js';
import { nameOf } from '../data/source.js';
import { csvText, type Row } from '../files/tables.js';
import { writeError } from '../files/write-error.js';

/** The files that hold predicted labels. */
export const LABEL_FILES = ['predictions.csv', 'predictions.jsonl'];

/** Options of `labelFiles`. */
export interface LabelFilesOptions {
  /** Names of the classes, in the order of the probabilities. */
  readonly classes: readonly string[];
  /** The folder that the pictures' paths are relative to. */
  readonly imageDir: string;
}

/**
 * Writes predicted labels as they come: a row of predictions.csv and a line of predictions.jsonl each, with the picture's
 * path below its folder, the most likely class, its probability, and that of each class.
 */
export class LabelFiles {
  readonly #columns: readonly string[];

  private constructor(
    private readonly dir: string,
    private readonly files: readonly FileHandle[],
    private readonly options: LabelFilesOptions,
  ) {
    this.#columns = ['image', 'label', 'probability', ...options.classes.map((name) => `p(${name})`)];
  }

  /** Opens the files in a folder, which is there. */
  static async open(dir: string, options: LabelFilesOptions): Promise<LabelFiles> {
    const files = await Promise.all(LABEL_FILES.map((name) => open(join(dir, name), 'w')));
    const opened = new LabelFiles(dir, files, options);
    await opened.#append(0, csvText([], opened.#columns));
    return opened;
  }

  /** Adds a picture. @throws UserError when there is no room. */
  async add({ item, probabilities }: PictureLabels): Promise<void> {
    const { classes, imageDir } = this.options;
    const probability = Math.max(...probabilities);
    const best = probabilities.indexOf(probability);
    const image = relative(imageDir, nameOf(item.image));
    const label = classes[best] ?? `${best}`;
    const shares = classes.map((name, k) => [name, rounded(probabilities[k]!)] as const);
    const row: Row = {
      image,
      label,
      probability: rounded(probability),
      ...Object.fromEntries(shares.map(([name, share]) => [`p(${name})`, share])),
    };
    await this.#append(0, csvText([row], this.#columns).replace(/^.*\n/, ''));
    const about = {
      image,
      label,
      probability: rounded(probability),
      probabilities: Object.fromEntries(shares),
    };
    await this.#append(1, `${JSON.stringify(about)}\n`);
  }

  /** Closes the files. */
  async close(): Promise<void> {
    await Promise.all(this.files.map((file) => file.close()));
  }

  async #append(which: number, text: string): Promise<void> {
    await this.files[which]!.appendFile(text).catch((error: unknown) => {
      throw writeError(join(this.dir, LABEL_FILES[which]!), error);
    });
  }
}

/** Six digits: as many as float32 is sure of. */
function rounded(share: number): number {
  return Number(share.toPrecision(6));
}
