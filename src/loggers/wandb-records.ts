import { crc32 } from 'node:zlib';
import { Message } from '../files/protobuf.js';

/** A value of a row under its name; a part of an object under several, such as `['loss', 'min']`. */
export type WandbItem = readonly [path: readonly string[], json: string];

/** What a run is called, and where it belongs. */
export interface WandbRun {
  readonly id: string;
  readonly project: string;
  readonly entity?: string | undefined;
  readonly name: string;
  /** The study that it is a trial of. */
  readonly group?: string | undefined;
  readonly config: Readonly<Record<string, unknown>>;
  readonly host: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** The version of wandb whose readers know all that is written here. */
const CONSUMER = '0.70.0';

/** LevelDB's log: blocks of 32 KiB, in which each piece of a record has a header of 7 bytes. */
const BLOCK = 32_768;
const HEADER = 7;
const PIECE = { whole: 1, first: 2, middle: 3, last: 4 };

/**
 * The records of a `.wandb` file, in order: each call gives the bytes to append. Field numbers are those of wandb's
 * wandb_internal.proto; the framing is LevelDB's, with the CRC-32 of zlib.
 *
 * @see https://github.com/google/leveldb/blob/main/doc/log_format.md
 */
export class WandbRecords {
  #position = 0;
  #count = 0;

  /** The beginning of a file: its magic number, the version of its format, and the run. */
  begin(producer: string, run: WandbRun): Buffer {
    const magic = Buffer.from(':W&B\xe1\xbe\x00', 'latin1');
    this.#position = magic.length;
    const header = this.#record(21, (message) =>
      message.message(1, (version) => {
        version.text(1, producer);
        version.text(2, CONSUMER);
      }),
    );
    return Buffer.concat([magic, header, this.#record(17, (message) => writeRun(message, run))]);
  }

  /** The values of a step, and the summary as they change it. */
  row(step: number, items: readonly WandbItem[]): Buffer {
    const write = (message: Message) => {
      for (const [path, json] of items)
        message.message(1, (item) => {
          for (const name of path) item.text(2, name);
          item.text(16, json);
        });
    };
    const summary = this.#record(3, write);
    const history = this.#record(2, (message) => {
      write(message);
      message.message(2, (row) => row.int(1, step));
    });
    return Buffer.concat([summary, history]);
  }

  /** A file of the run, which is uploaded with it; `path` is in its folder of files. */
  file(path: string): Buffer {
    return this.#record(6, (files) => files.message(1, (file) => file.text(1, path)));
  }

  /** The end, with the exit code of a process. */
  exit(code: number, seconds: number): Buffer {
    return this.#record(18, (exit) => {
      exit.int(1, code);
      exit.int(2, Math.round(seconds));
    });
  }

  #record(field: number, write: (message: Message) => void): Buffer {
    const record = new Message();
    record.int(1, ++this.#count);
    record.message(field, write);
    return this.#framed(record.finish());
  }

  #framed(payload: Uint8Array): Buffer {
    const pieces: Buffer[] = [];
    let [rest, isFirst] = [payload, true];
    do {
      const left = BLOCK - (this.#position % BLOCK);
      if (left < HEADER) {
        pieces.push(Buffer.alloc(left));
        this.#position += left;
        continue;
      }
      const part = rest.subarray(0, left - HEADER);
      const isLast = part.length === rest.length;
      const type = isFirst ? (isLast ? PIECE.whole : PIECE.first) : isLast ? PIECE.last : PIECE.middle;
      const header = Buffer.alloc(HEADER);
      header.writeUInt32LE(crc32(part, crc32(Buffer.from([type]))));
      header.writeUInt16LE(part.length, 4);
      header.writeUInt8(type, 6);
      pieces.push(header, Buffer.from(part));
      this.#position += HEADER + part.length;
      [rest, isFirst] = [rest.subarray(part.length), false];
    } while (rest.length > 0);
    return Buffer.concat(pieces);
  }
}

function writeRun(
  message: Message,
  { id, project, entity, name, group, config, host, time }: WandbRun,
): void {
  message.text(1, id);
  if (entity) message.text(2, entity);
  message.text(3, project);
  message.message(4, (settings) => {
    for (const [key, value] of Object.entries(config))
      settings.message(1, (item) => {
        item.text(1, key);
        item.text(16, JSON.stringify(value));
      });
  });
  if (group) {
    message.text(6, group);
    message.text(7, 'trial');
  }
  message.text(8, name);
  message.text(13, host);
  message.message(17, (start) => {
    start.int(1, Math.floor(time / 1000));
    start.int(2, Math.floor(time % 1000) * 1e6);
  });
}
