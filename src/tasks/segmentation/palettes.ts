import { named } from '../../base/named.js';
import { type Palette, parsePalette } from './palette.js';

/** Pascal VOC 2012's 20 classes and background; the border of an object is void. */
const VOC = `
0 0 0 background
128 0 0 aeroplane
0 128 0 bicycle
128 128 0 bird
0 0 128 boat
128 0 128 bottle
0 128 128 bus
128 128 128 car
64 0 0 cat
192 0 0 chair
64 128 0 cow
192 128 0 diningtable
64 0 128 dog
192 0 128 horse
64 128 128 motorbike
192 128 128 person
0 64 0 pottedplant
128 64 0 sheep
0 192 0 sofa
128 192 0 train
0 64 128 tvmonitor
224 224 192 void`;

/** Cityscapes' 19 classes that are evaluated; the others are void. */
const CITYSCAPES = `
128 64 128 road
244 35 232 sidewalk
70 70 70 building
102 102 156 wall
190 153 153 fence
153 153 153 pole
250 170 30 traffic light
220 220 0 traffic sign
107 142 35 vegetation
152 251 152 terrain
70 130 180 sky
220 20 60 person
255 0 0 rider
0 0 142 car
0 0 70 truck
0 60 100 bus
0 80 100 train
0 0 230 motorcycle
119 11 32 bicycle
0 0 0 void
111 74 0 void
81 0 81 void
250 170 160 void
230 150 140 void
180 165 180 void
150 100 100 void
150 120 90 void
0 0 90 void
0 0 110 void`;

/** CamVid's usual eleven classes: the colours of its 32 merged, and those of the release with eleven. */
const CAMVID = `
128 128 128 sky
128 0 0 building
192 0 128 building
0 128 64 building
64 0 64 building
64 192 0 building
192 192 128 pole
0 0 64 pole
128 64 128 road
128 0 192 road
192 0 64 road
255 69 0 road
0 0 192 pavement
60 40 222 pavement
64 192 128 pavement
128 128 192 pavement
128 128 0 tree
192 192 0 tree
192 128 128 sign
128 128 64 sign
0 64 64 sign
64 64 128 fence
64 0 128 car
128 64 64 car
64 128 192 car
192 64 128 car
192 128 192 car
64 64 0 pedestrian
192 128 64 pedestrian
64 0 192 pedestrian
64 128 64 pedestrian
0 128 192 bicyclist
192 0 192 bicyclist
0 0 0 void`;

/**
 * The palettes of known data sets, by name.
 *
 * @example
 * palettes.register('two', () => [
 *   { name: 'ground', colours: ['#000000'] },
 *   { name: 'nucleus', colours: ['#ffffff'] },
 * ]);
 * palettes.make('camvid').length; // => 12
 */
export const palettes = named('mask palette', {
  voc: (): Palette => parsePalette(VOC, 'voc'),
  cityscapes: (): Palette => parsePalette(CITYSCAPES, 'cityscapes'),
  camvid: (): Palette => parsePalette(CAMVID, 'camvid'),
});

/** A palette, or that of this name. */
export function paletteOf(palette: string | Palette): Palette {
  return typeof palette === 'string' ? palettes.make(palette) : palette;
}
