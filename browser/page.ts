// The page docs/browser.html: `npm run build:browser` puts it together.
import { PEFT_FILES, peftFiles } from '../src/adapters/peft/peft-files.js';
import type { Pretrained } from '../src/model/vit/pretrained-of.js';
import { blend, classRgb } from '../src/tasks/segmentation/blend.js';
import type { Segmenter } from '../src/tasks/segmentation/segmenter.js';
import { startEngine } from './engine.js';
import { ChosenFiles } from './files.js';
import { adaptedFrom, backboneFrom, segment } from './model.js';
import { decodePicture, type Picture } from './picture.js';
import { pairsOf, type TabTraining, trainInTab } from './train.js';

const element = <T extends Element = HTMLInputElement>(id: string) =>
  document.getElementById(id) as never as T;
const files = (id: string) => [...(element(id).files ?? [])];
const on = (id: string, type: 'change' | 'click', listener: () => void) =>
  element(id).addEventListener(type, listener);
const number = (id: string) => element(id).valueAsNumber;

let backbone: Pretrained | undefined;
let model: Segmenter | undefined;
let shown: Picture | undefined;
/** One thing at a time: the engine has one model and one memory. */
let work: Promise<unknown> = startEngine().then((name) => {
  element('engine').textContent = name;
});

/** Does something after what is under way, and says beside it how it ended. */
function say(id: string, job: () => Promise<string>): void {
  const output = element<HTMLOutputElement>(id);
  work = work.then(async () => {
    output.className = '';
    output.textContent = 'working…';
    try {
      output.textContent = await job();
    } catch (error) {
      output.className = 'error';
      output.textContent = (error as Error).message;
    }
  });
}

function needBackbone(): Pretrained {
  if (!backbone) throw new Error('choose a backbone first');
  return backbone;
}

function use(next: Segmenter): void {
  model?.dispose();
  model = next;
  element<HTMLButtonElement>('save').disabled = false;
}

async function showPicture(): Promise<string> {
  if (!shown) return '';
  if (!model) return 'load an adapter or train one to segment the picture';
  const start = performance.now();
  const ids = await segment(model, shown);
  const { width, height } = shown;
  const rgb = blend(shown.data, ids);
  const canvas = element<HTMLCanvasElement>('result');
  Object.assign(canvas, { width, height });
  const pixels = new ImageData(width, height);
  for (let from = 0, at = 0; from < rgb.length; from += 3, at += 4)
    pixels.data.set([rgb[from]!, rgb[from + 1]!, rgb[from + 2]!, 255], at);
  canvas.getContext('2d')!.putImageData(pixels, 0, 0);
  const counts = new Map<number, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  const shares = [...counts].toSorted(([a], [b]) => a - b);
  element<HTMLElement>('legend').replaceChildren(
    ...shares.map(([id, count]) => {
      const entry = document.createElement('span');
      const swatch = document.createElement('i');
      swatch.style.background = `rgb(${classRgb(id).join(' ')})`;
      entry.append(swatch, `class ${id}: ${((100 * count) / ids.length).toFixed(1)} %`);
      return entry;
    }),
  );
  return `${width} × ${height}, segmented in ${((performance.now() - start) / 1000).toFixed(1)} s`;
}

on('model', 'change', () =>
  say('model-said', async () => {
    backbone = await backboneFrom(new ChosenFiles(files('model')));
    const { hidden_size: width, num_hidden_layers: blocks } = backbone.config;
    return `a ViT of ${blocks} blocks of width ${width}`;
  }),
);

on('adapter', 'change', () => {
  say('adapter-said', async () => {
    use(await adaptedFrom(needBackbone(), new ChosenFiles(files('adapter'))));
    return `${model!.adapter!.name}, ${model!.head.classes} classes`;
  });
  say('picture-said', showPicture);
});

on('picture', 'change', () =>
  say('picture-said', async () => {
    const [file] = files('picture');
    if (file) shown = await decodePicture(file);
    return showPicture();
  }),
);

// Files that are dropped on a choice of files are chosen.
for (const zone of document.querySelectorAll<HTMLElement>('.drop'))
  for (const kind of ['dragover', 'dragleave', 'drop'] as const)
    zone.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.classList.toggle('over', kind === 'dragover');
      const dropped = event.dataTransfer?.files;
      if (kind !== 'drop' || !dropped?.length) return;
      const input = zone.querySelector('input')!;
      input.files = dropped;
      input.dispatchEvent(new Event('change'));
    });

let going = false;
on('stop', 'click', () => {
  going = false;
});

on('train', 'click', () => {
  say('train-said', async () => {
    const options: TabTraining = {
      adapter: element('kind').value as TabTraining['adapter'],
      epochs: number('epochs'),
      batchSize: number('batch'),
      learningRate: number('rate'),
      seed: 42,
    };
    const pairs = await pairsOf(files('images'), files('masks'));
    const [output, stop] = [element('train-said'), element<HTMLButtonElement>('stop')];
    const losses: number[] = [];
    going = true;
    stop.disabled = false;
    const trained = await trainInTab(needBackbone(), pairs, options, (step, steps, loss) => {
      losses.push(loss);
      draw(losses, steps);
      output.textContent = `step ${step} of ${steps}, loss ${loss.toFixed(4)}`;
      return going;
    }).finally(() => {
      stop.disabled = true;
    });
    use(trained);
    return `trained for ${losses.length} steps, loss ${losses[0]!.toFixed(4)} → ${losses.at(-1)!.toFixed(4)}`;
  });
  say('picture-said', showPicture);
});

/** Draws the loss by step, from 0 to its largest value. */
function draw(losses: readonly number[], steps: number): void {
  const most = Math.max(...losses);
  const points = losses.map((loss, i) => `${(100 * i) / Math.max(1, steps - 1)},${100 - (95 * loss) / most}`);
  document.querySelector('#curve polyline')!.setAttribute('points', points.join(' '));
}

on('save', 'click', () =>
  say('adapter-said', async () => {
    const contents = await peftFiles(model!, 'the adapter');
    for (const name of Object.values(PEFT_FILES)) {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob([contents[name] as BlobPart]));
      link.download = name;
      link.click();
      URL.revokeObjectURL(link.href);
    }
    return `saved ${Object.values(PEFT_FILES).join(', ')}`;
  }),
);
