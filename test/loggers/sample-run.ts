import type { Event, RunEvent, StepEvent, ValidationEvent } from '../../src/events/event.js';
import type { Scores } from '../../src/events/scores.js';
import '../../src/tasks/segmentation/metrics/metric.js';

const START = 1_700_000_000_000;

/** The first event of a made-up run of three epochs of four batches. */
export function runEvent(changes: Partial<RunEvent> = {}): RunEvent {
  return {
    type: 'run',
    time: START,
    run: 'lora_42',
    adapter: 'lora',
    adapterParameters: 1536,
    headParameters: 2307,
    engine: 'cpu',
    precision: 'f32',
    seed: 42,
    epochs: 3,
    batches: 4,
    classes: ['pet', 'background', 'boundary'],
    config: { rank: 4 },
    versions: { millrace: '0.1.0' },
    ...changes,
  };
}

/** The made-up step: a loss of 1/step, one second and eight images a step. */
export function stepEvent(step: number, changes: Partial<StepEvent> = {}): StepEvent {
  return {
    type: 'step',
    time: START + step * 1000,
    step,
    epoch: Math.ceil(step / 4),
    batch: (step - 1) % 4,
    batches: 4,
    loss: 1 / step,
    learningRate: { all: 0.01 / step },
    gradientNorm: 0.5,
    images: 8,
    seconds: 1,
    imagesPerSecond: 8,
    ...changes,
  };
}

export function scores(softDice: number): Scores {
  return {
    loss: 1 - softDice,
    softDice,
    softIou: softDice / (2 - softDice),
    dice: [softDice, 0.9, null],
    iou: [softDice / (2 - softDice), 9 / 11, null],
    miou: 0.75,
    accuracy: 0.875,
    confusion: [
      [30, 10, 0],
      [5, 55, 0],
      [0, 0, 0],
    ],
  };
}

export function validationEvent(epoch: number, split = 'validation'): ValidationEvent {
  const step = epoch * 4;
  const time = START + step * 1000 + (split === 'test' ? 450 : 300);
  return {
    type: 'validation',
    time,
    split,
    epoch,
    step,
    scores: scores(0.5 + epoch / 10),
    images: 4,
    seconds: 0.25,
  };
}

/** The events of a whole run: each epoch is validated and checkpointed, the last model tested. */
export function sampleRun(epochs = 3): Event[] {
  const events: Event[] = [runEvent({ epochs })];
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const step = epoch * 4;
    const time = START + step * 1000;
    for (let batch = 0; batch < 4; batch++) events.push(stepEvent(step - 3 + batch));
    events.push(
      { type: 'epoch', time, epoch, step, loss: 2 / step, images: 32, seconds: 4, imagesPerSecond: 8 },
      validationEvent(epoch),
      { type: 'checkpoint', time: time + 400, path: `checkpoints/${step}`, step, epoch, best: true },
    );
  }
  const time = START + epochs * 4000 + 500;
  const step = epochs * 4;
  events.push(validationEvent(epochs, 'test'));
  events.push({ type: 'done', time, reason: 'finished', step, epoch: epochs, seconds: 12.5 });
  return events;
}

/** The same events as a later process would have timed them. */
export function later(events: readonly Event[], seconds: number): Event[] {
  return events.map((event) => ({ ...event, time: event.time + seconds * 1000 }));
}
