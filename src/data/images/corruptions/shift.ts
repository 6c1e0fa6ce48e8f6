import { STYLES, type Style } from '../../creatures/styles.js';
import { texture } from '../../creatures/texture.js';
import { type Corruption, perPixel, perValue, withImage } from './corruption.js';

/** Rotates all hues by the same angle about the grey axis of RGB (Rodrigues' formula). */
export const hueShift = perPixel([0.1, 0.17, 0.25, 0.36, 0.5], (turns, random) => {
  const angle = 2 * Math.PI * turns * (random() < 0.5 ? -1 : 1);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle) / Math.sqrt(3)];
  return ([r, g, b]) => {
    const grey = ((r + g + b) / 3) * (1 - cos);
    return [r * cos + grey + (b - g) * sin, g * cos + grey + (r - b) * sin, b * cos + grey + (g - r) * sin];
  };
});

/** Few levels in each channel. */
export const posterize = perValue(
  [8, 6, 4, 3, 2],
  (x, levels) => Math.round(x * (levels - 1)) / (levels - 1),
);

/** Inverts values above a threshold, as on film that was exposed twice. */
export const solarize = perValue([0.9, 0.75, 0.6, 0.45, 0.3], (x, threshold) => (x > threshold ? 1 - x : x));

/** Exchanges red, green and blue, increasingly. */
export const channelShuffle = perPixel([0.3, 0.5, 0.7, 0.85, 1], (share, random) => {
  const orders = [
    [1, 2, 0],
    [2, 0, 1],
    [0, 2, 1],
    [1, 0, 2],
    [2, 1, 0],
  ] as const;
  const order = orders[Math.floor(orders.length * random())]!;
  return (rgb) => {
    const at = (c: 0 | 1 | 2) => rgb[c] + share * (rgb[order[c]] - rgb[c]);
    return [at(0), at(1), at(2)];
  };
});

/** A drawn texture shines through the whole picture. */
export const textureOverlay = perPixel([0.15, 0.25, 0.35, 0.45, 0.55], (share, random, { width, height }) => {
  const { colours, pattern } = texture(random, Math.min(width, height));
  return (rgb, x, y) => {
    const t = pattern(x, y);
    const at = (c: 0 | 1 | 2) => {
      const value = colours[0][c] + t * (colours[1][c] - colours[0][c]);
      return rgb[c] + share * (value - rgb[c]);
    };
    return [at(0), at(1), at(2)];
  };
});

/**
 * The palette of another picture: each channel's histogram is matched to that of a drawn texture (Gonzalez & Woods,
 * histogram specification: x → G⁻¹(F(x)) with the cumulative shares F of this picture and G of the other).
 */
export const palette: Corruption = (picture, severity, random) => {
  const share = [0.25, 0.4, 0.55, 0.7, 0.85][severity - 1]!;
  const { width, height } = picture;
  const { colours, pattern } = texture(random, Math.min(width, height));
  return withImage(picture, (image, out) => {
    for (let c = 0; c < 3; c++) {
      const there = new Uint8Array(width * height);
      for (let at = 0; at < there.length; at++) {
        const t = pattern(at % width, Math.floor(at / width));
        there[at] = 255 * (colours[0][c]! + t * (colours[1][c]! - colours[0][c]!));
      }
      there.sort();
      const here = new Uint32Array(256);
      for (let i = c; i < image.length; i += 3) here[image[i]!]!++;
      let below = 0;
      const matched = here.map((count) => {
        const middle = below + Math.floor(count / 2);
        below += count;
        return there[Math.min(there.length - 1, middle)]!;
      });
      for (let i = c; i < image.length; i += 3)
        out[i] = image[i]! + share * (matched[image[i]!]! - image[i]!);
    }
  });
};

/** A drawing style, blended in with increasing strength. */
function styled(style: Style): Corruption {
  return (picture, severity, random) => {
    const share = [0.4, 0.55, 0.7, 0.85, 1][severity - 1]!;
    const styled = style(picture.image, picture.width, picture.height, random);
    return withImage(picture, (image, out) => {
      for (let i = 0; i < image.length; i++) out[i] = image[i]! + share * (styled[i]! - image[i]!);
    });
  };
}

export const ink = styled(STYLES.ink);
export const mosaic = styled(STYLES.mosaic);
export const neon = styled(STYLES.neon);
