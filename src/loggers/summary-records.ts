import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadSharp } from '../base/sharp.js';
import type { Event, PictureEvent, RunEvent } from '../events/event.js';
import { numbersOf, snakeCase } from '../events/shown-scores.js';
import { Message } from '../files/protobuf.js';
import { edgesOf, type Histogram } from '../numeric/histogram.js';
import { type Hyperparameter, hyperparametersOf } from './hyperparameters.js';
import type { LoggedRun, RunEnd } from './logger.js';
import { scalarsOf } from './scalars.js';
import { tfRecord } from './tf-record.js';

/** Writes one `Summary.Value`, less its tag. */
type Write = (value: Message) => void;

/** Of TensorBoard's `hparams.Status`. A run that was stopped may go on: its status is not known. */
const STATUS: Record<RunEnd, number> = { stopped: 0, finished: 1, failed: 2 };

/**
 * The events of a run as records of a TensorBoard event file; field numbers are those of TensorBoard's event.proto,
 * summary.proto, histogram.proto and hparams/plugin_data.proto.
 *
 * @see https://github.com/tensorflow/tensorboard/tree/2.21.0/tensorboard
 */
export class SummaryRecords {
  #classes: readonly string[] = [];

  constructor(private readonly run: LoggedRun) {}

  /** The first record of a file. */
  version(time: number): Buffer {
    return record(time, (event) => event.text(3, 'brain.Event:2'));
  }

  /** The record of an event; empty where TensorBoard shows nothing of it. */
  async of(event: Event): Promise<Buffer> {
    if (event.type === 'run') this.#classes = event.classes;
    const values = event.type === 'picture' ? await this.#picture(event) : this.#valuesOf(event);
    return summary(event.time, 'step' in event ? (event.step ?? 0) : 0, values);
  }

  /** The record of the run's end. */
  end(end: RunEnd): Buffer {
    const now = Date.now();
    const value = hparams(4, (info) => {
      info.int(1, STATUS[end]);
      info.double(2, now / 1000);
    });
    return summary(now, 0, [['_hparams_/session_end_info', value]]);
  }

  #valuesOf(event: Event): [tag: string, write: Write][] {
    if (event.type === 'run') return this.#settings(event);
    if (event.type === 'weights')
      return Object.entries(event.histograms).map(([name, histogram]) => [
        `weights/${name}`,
        (value) => value.message(5, (message) => writeHistogram(message, histogram)),
      ]);
    return scalarsOf(event, this.#classes).map(([name, number]) => [name, (value) => value.float(2, number)]);
  }

  /** A file that is no longer there, such as one that a person removed before a resume, is left out. */
  async #picture({ name, path }: PictureEvent): Promise<[string, Write][]> {
    const image = await readFile(join(this.run.logs ?? '', path)).catch(() => undefined);
    if (!image) return [];
    const { height, width } = await loadSharp()(image).metadata();
    const write: Write = (value) =>
      value.message(4, (message) => {
        message.int(1, height);
        message.int(2, width);
        message.int(3, 3);
        message.bytes(4, image);
      });
    return [[`predictions/${name}`, write]];
  }

  #settings(run: RunEvent): [string, Write][] {
    const settings = Object.entries(hyperparametersOf(run));
    const scores = this.run.metrics ? numbersOf(this.run.metrics().scores()) : [];
    const experiment = hparams(2, (message) => {
      for (const [name, value] of settings)
        message.message(4, (info) => {
          info.text(1, name);
          info.int(4, { string: 1, boolean: 2, number: 3 }[kindOf(value)]);
        });
      for (const [name] of scores)
        message.message(5, (info) => info.message(1, (tag) => tag.text(2, `validation/${snakeCase(name)}`)));
    });
    const start = hparams(3, (message) => {
      for (const [name, value] of settings)
        message.message(1, (entry) => {
          entry.text(1, name);
          entry.message(2, (message) => writeValue(message, value));
        });
      message.text(4, run.run);
      message.double(5, run.time / 1000);
    });
    return [
      ['_hparams_/experiment', experiment],
      ['_hparams_/session_start_info', start],
    ];
  }
}

function record(time: number, write: (event: Message) => void): Buffer {
  const event = new Message();
  event.double(1, time / 1000);
  write(event);
  return tfRecord(event.finish());
}

function summary(time: number, step: number, values: readonly [tag: string, write: Write][]): Buffer {
  if (values.length === 0) return Buffer.alloc(0);
  return record(time, (event) => {
    event.int(2, step);
    event.message(5, (message) => {
      for (const [tag, write] of values)
        message.message(1, (value) => {
          value.text(1, tag);
          write(value);
        });
    });
  });
}

/** A value for the HParams tab: the plugin's data as metadata, and an empty tensor, which its readers expect. */
function hparams(field: number, write: (data: Message) => void): Write {
  const data = new Message();
  data.message(field, write);
  return (value) => {
    value.message(8, (tensor) => {
      tensor.int(1, 1);
      tensor.message(2, (shape) => shape.message(2, (dimension) => dimension.int(1, 0)));
    });
    value.message(9, (metadata) =>
      metadata.message(1, (plugin) => {
        plugin.text(1, 'hparams');
        plugin.bytes(2, data.finish());
      }),
    );
  };
}

/** A `google.protobuf.Value`. */
function writeValue(message: Message, value: Hyperparameter): void {
  if (typeof value === 'number') message.double(2, value);
  else if (typeof value === 'string') message.text(3, value);
  else message.bool(4, value);
}

function kindOf(value: Hyperparameter): 'string' | 'boolean' | 'number' {
  return typeof value as 'string' | 'boolean' | 'number';
}

function writeHistogram(message: Message, histogram: Histogram): void {
  const { min, max, sum, sumSquares, counts } = histogram;
  const count = counts.reduce((a, b) => a + b, 0);
  for (const [i, value] of [min, max, count, sum, sumSquares].entries()) message.double(i + 1, value);
  message.doubles(6, edgesOf(histogram).slice(1));
  message.doubles(7, counts);
}
