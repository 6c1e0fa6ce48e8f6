import { type Corruption, type Picture, pixels, type Scale, withImage } from './corruption.js';

/** Offsets in pixels and weights that sum to one: the sources of a blurred pixel. */
type Kernel = readonly (readonly [dx: number, dy: number, weight: number])[];

/** Uniform softness: a Gaussian of deviation σ. */
export const gaussianBlur: Corruption = (picture, severity) => {
  const sigma = pixels([1.8, 2.4, 3, 3.8, 4.8][severity - 1]!, picture);
  const reach = Math.ceil(2.5 * sigma);
  const span = Array.from({ length: 2 * reach + 1 }, (_, i) => i - reach);
  const weigh = (offsets: readonly (readonly [number, number])[]) =>
    normalised(offsets.map(([dx, dy]) => [dx, dy, Math.exp(-(dx * dx + dy * dy) / (2 * sigma * sigma))]));
  const across = blur(picture, weigh(span.map((d) => [d, 0] as const)));
  return blur(across, weigh(span.map((d) => [0, d] as const)));
};

/** A lens out of focus: a disc. */
export const defocusBlur: Corruption = (picture, severity) => {
  const radius = pixels([2, 3, 4, 5.5, 7][severity - 1]!, picture);
  const reach = Math.ceil(radius);
  const kernel: [number, number, number][] = [];
  for (let dy = -reach; dy <= reach; dy++)
    for (let dx = -reach; dx <= reach; dx++) {
      const weight = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(dx, dy)));
      if (weight > 0) kernel.push([dx, dy, weight]);
    }
  return blur(picture, normalised(kernel));
};

/** A moving camera: a line in a random direction. */
export const motionBlur: Corruption = (picture, severity, random) => {
  const length = pixels([7, 11, 15, 20, 26][severity - 1]!, picture);
  return blur(picture, line(length, Math.PI * random()));
};

/** A lens that zooms while the shutter is open: the mean of the picture at growing magnifications. */
export const zoomBlur: Corruption = (picture, severity) => {
  const most = ([0.08, 0.14, 0.2, 0.27, 0.35] satisfies Scale)[severity - 1]!;
  const { width, height } = picture;
  const steps = 12;
  return withImage(picture, (image, out) => {
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let step = 0; step < steps; step++) {
          const zoom = 1 + (most * step) / (steps - 1);
          const u = Math.round(width / 2 + (x + 0.5 - width / 2) / zoom - 0.5);
          const v = Math.round(height / 2 + (y + 0.5 - height / 2) / zoom - 0.5);
          for (let c = 0; c < 3; c++)
            out[(y * width + x) * 3 + c]! += image[(v * width + u) * 3 + c]! / steps;
        }
  });
};

/** The kernel of a line through the pixel, `length` pixels long. */
export function line(length: number, angle: number): Kernel {
  const half = Math.max(1, Math.round(length / 2));
  const offsets = Array.from({ length: 2 * half + 1 }, (_, i): [number, number, number] => [
    Math.round((i - half) * Math.cos(angle)),
    Math.round((i - half) * Math.sin(angle)),
    1,
  ]);
  return normalised(offsets);
}

/** The picture under a kernel; the edge pixels are repeated outwards. */
export function blur(picture: Picture, kernel: Kernel): Picture {
  const { width, height } = picture;
  return withImage(picture, (image, out) => {
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        let [r, g, b] = [0, 0, 0];
        for (const [dx, dy, weight] of kernel) {
          const u = Math.min(width - 1, Math.max(0, x + dx));
          const v = Math.min(height - 1, Math.max(0, y + dy));
          const from = (v * width + u) * 3;
          r += weight * image[from]!;
          g += weight * image[from + 1]!;
          b += weight * image[from + 2]!;
        }
        const at = (y * width + x) * 3;
        [out[at], out[at + 1], out[at + 2]] = [r, g, b];
      }
  });
}

function normalised(kernel: readonly (readonly [number, number, number])[]): Kernel {
  const sum = kernel.reduce((total, [, , weight]) => total + weight, 0);
  return kernel.map(([dx, dy, weight]) => [dx, dy, weight / sum] as const);
}
