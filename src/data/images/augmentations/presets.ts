import { sequential, type Transform } from './augmentation.js';
import { colorJitter } from './color-jitter.js';
import { randomErasing } from './erasing.js';
import { affine, horizontalFlip, randomResizedCrop, rotate } from './geometric.js';
import { gaussianBlur, gaussNoise, toGray } from './photometric.js';
import { scaleJitter } from './scale-jitter.js';

/** A set of augmentations under one name. */
interface Preset {
  /** What it does, for the help. */
  readonly about: string;
  readonly transforms: readonly Transform[];
}

/** Sets of augmentations that suit most data, from none to much. */
const PRESETS = {
  none: { about: 'nothing', transforms: [] },
  study: {
    about: 'flip, turns of up to 10°, mild colours: little that could hide what a study compares',
    transforms: [horizontalFlip(), rotate({ limit: 10 }), colorJitter()],
  },
  light: {
    about: 'flip, scale and shift of a tenth, mild colours',
    transforms: [horizontalFlip(), affine(), colorJitter()],
  },
  strong: {
    about: 'flip, turns of up to 30°, crop, strong colours, grey, blur, noise, erased rectangles',
    transforms: [
      horizontalFlip(),
      rotate({ limit: 30 }),
      randomResizedCrop({ scale: [0.3, 1] }),
      colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.05 }),
      toGray(),
      gaussianBlur({ p: 0.2 }),
      gaussNoise({ p: 0.2 }),
      randomErasing({ p: 0.25 }),
    ],
  },
  segmentation: {
    about: 'flip, scale of 0.5 to 2 with crop or padding, strong colours, blur',
    transforms: [
      horizontalFlip(),
      scaleJitter({ scale: [0.5, 2] }),
      colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.05 }),
      gaussianBlur({ p: 0.1 }),
    ],
  },
} as const satisfies Record<string, Preset>;

type PresetName = keyof typeof PRESETS;

const NAMES = Object.keys(PRESETS) as PresetName[];

/** A preset, as one transform. */
const preset = (name: PresetName) => (): Transform => ({ ...sequential(PRESETS[name].transforms), name });

/** The presets as entries of a catalogue. */
export const presets = Object.fromEntries(NAMES.map((name) => [name, preset(name)])) as Record<
  PresetName,
  () => Transform
>;

/** What each preset does, for the help. */
export const PRESETS_ABOUT = NAMES.map((name) => `${name} = ${PRESETS[name].about}`).join('; ');
