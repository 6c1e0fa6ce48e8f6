import type { Random } from '../../random/random-stream.js';
import { type Limb, limb, polygon, type Shape } from './shape.js';

/** The families that count as a creature, the class to find in the fixture. */
export const CREATURES = ['cat', 'fox', 'rabbit', 'bear', 'mouse', 'lizard', 'llama', 'hound'] as const;

/**
 * The families that are not creatures, drawn with the same colours and textures; a table has legs, a cactus has arms.
 */
export const THINGS = ['tree', 'mushroom', 'house', 'star', 'cactus', 'rock', 'table', 'lamp'] as const;

/** A family of creatures. */
export type Creature = (typeof CREATURES)[number];
/** A family of things. */
export type Thing = (typeof THINGS)[number];
/** Anything that a scene may show: a creature or a thing. */
export type Family = Creature | Thing;

/** All families, in the order of their labels. */
export const FAMILIES: readonly Family[] = [...CREATURES, ...THINGS];

/** A creature seen from the side, in numbers relative to its body; angles in radians, upwards from straight ahead. */
interface Build {
  readonly body: number;
  readonly girth: number;
  readonly legs: number;
  readonly neck: number;
  readonly neckAngle: number;
  readonly head: number;
  readonly snout: number;
  readonly ear: 'pointed' | 'round' | 'long' | 'hanging' | 'none';
  readonly tail: number;
  readonly tailWidth: number;
  readonly tailAngle: number;
}

const BUILDS: Readonly<Record<Creature, Build>> = {
  cat: { body: 0.34, girth: 0.1, legs: 0.17, neck: 0.1, neckAngle: 0.8, head: 0.095, snout: 0.04, ear: 'pointed', tail: 0.32, tailWidth: 0.022, tailAngle: 1 },
  fox: { body: 0.34, girth: 0.09, legs: 0.17, neck: 0.11, neckAngle: 0.6, head: 0.08, snout: 0.12, ear: 'pointed', tail: 0.3, tailWidth: 0.065, tailAngle: -0.1 },
  rabbit: { body: 0.2, girth: 0.14, legs: 0.1, neck: 0.1, neckAngle: 0.8, head: 0.09, snout: 0.03, ear: 'long', tail: 0.05, tailWidth: 0.045, tailAngle: 0.4 },
  bear: { body: 0.34, girth: 0.16, legs: 0.15, neck: 0.1, neckAngle: 0.3, head: 0.115, snout: 0.08, ear: 'round', tail: 0.03, tailWidth: 0.03, tailAngle: 0.3 },
  mouse: { body: 0.22, girth: 0.11, legs: 0.06, neck: 0.08, neckAngle: 0.2, head: 0.07, snout: 0.08, ear: 'round', tail: 0.36, tailWidth: 0.012, tailAngle: 0.2 },
  lizard: { body: 0.4, girth: 0.065, legs: 0.09, neck: 0.09, neckAngle: 0.1, head: 0.06, snout: 0.08, ear: 'none', tail: 0.38, tailWidth: 0.03, tailAngle: -0.1 },
  llama: { body: 0.28, girth: 0.115, legs: 0.24, neck: 0.3, neckAngle: 1.25, head: 0.06, snout: 0.08, ear: 'pointed', tail: 0.06, tailWidth: 0.035, tailAngle: -0.4 },
  hound: { body: 0.44, girth: 0.085, legs: 0.1, neck: 0.13, neckAngle: 0.7, head: 0.08, snout: 0.11, ear: 'hanging', tail: 0.2, tailWidth: 0.02, tailAngle: 0.9 },
}; // biome-ignore format: a table

/** Draws one member of a family; no two are alike. */
export function member(family: Family, random: Random): Shape {
  return family in BUILDS ? creature(BUILDS[family as Creature], random) : thing(family as Thing, random);
}

function creature(build: Build, random: Random): Shape {
  const vary = (value: number) => value * (0.85 + 0.3 * random());
  const tilt = () => 0.5 * (random() - 0.5);
  const [half, girth, head] = [vary(build.body) / 2, vary(build.girth), vary(build.head)];
  const parts: Limb[] = [limb(-half, 0, girth, half, 0, girth * (0.85 + 0.25 * random()))];
  for (const at of [-half - 0.02, -half + 0.07, half - 0.07, half + 0.02]) {
    const [length, lean] = [vary(build.legs), tilt() * 0.5];
    const foot = girth * 0.6 + length;
    parts.push(limb(at, girth * 0.4, girth * 0.42, at + foot * Math.sin(lean), foot, 0.026));
  }
  const up = build.neckAngle + tilt();
  const reach = girth * 0.5 + vary(build.neck);
  const [hx, hy] = [half + reach * Math.cos(up), -reach * Math.sin(up)];
  parts.push(limb(half, 0, girth * 0.8, hx, hy, head * 0.7), limb(hx, hy, head));
  const down = 0.25 + tilt();
  const [cos, sin] = [Math.cos(down), Math.sin(down)];
  const snout = head * 0.6 + vary(build.snout);
  parts.push(limb(hx, hy, head * 0.75, hx + snout * cos, hy + snout * sin, 0.028));
  parts.push(...ears(build, hx, hy, head, random));
  const rise = build.tailAngle + tilt();
  const bend = rise + 1.6 * (random() - 0.3);
  const tail = vary(build.tail);
  const width = vary(build.tailWidth);
  const [mx, my] = [-half - girth * 0.8 - (tail / 2) * Math.cos(rise), -(tail / 2) * Math.sin(rise)];
  parts.push(limb(-half, 0, width * 0.9, mx, my, width));
  parts.push(
    limb(mx, my, width, mx - (tail / 2) * Math.cos(bend), my - (tail / 2) * Math.sin(bend), width * 0.6),
  );
  return parts;
}

function ears({ ear }: Build, x: number, y: number, head: number, random: Random): Limb[] {
  const turn = 0.4 * (random() - 0.5);
  const at = (angle: number, from: number, to: number, r: number, r2: number) => {
    const [cos, sin] = [Math.cos(angle + turn), -Math.sin(angle + turn)];
    return limb(
      x + from * head * cos,
      y + from * head * sin,
      r * head,
      x + to * head * cos,
      y + to * head * sin,
      r2 * head,
    );
  };
  if (ear === 'pointed') return [at(2.3, 0.5, 1.75, 0.5, 0.08), at(1.3, 0.5, 1.75, 0.5, 0.08)];
  if (ear === 'round') return [at(2.2, 1.1, 1.1, 0.55, 0.55), at(1.2, 1.1, 1.1, 0.45, 0.45)];
  if (ear === 'long') return [at(2.2, 0.7, 2.9, 0.3, 0.25), at(1.7, 0.7, 3, 0.3, 0.25)];
  return ear === 'hanging' ? [at(3.6, 0.6, 1.9, 0.35, 0.45)] : [];
}

function thing(family: Thing, random: Random): Shape {
  const vary = (value: number) => value * (0.8 + 0.4 * random());
  const jitter = (size: number) => size * (random() - 0.5);
  switch (family) {
    case 'tree': {
      const crown = Array.from({ length: 5 }, () => limb(jitter(0.3), -0.15 + jitter(0.25), vary(0.15)));
      return [limb(0, 0.4, vary(0.05), jitter(0.06), -0.1, 0.04), ...crown];
    }
    case 'mushroom': {
      const [w, h] = [vary(0.3), vary(0.25)];
      return [
        limb(0, 0.3, vary(0.08), 0, -0.05, vary(0.06)),
        polygon(-w, 0, -w * 0.7, -h * 0.7, 0, -h, w * 0.7, -h * 0.7, w, 0),
      ];
    }
    case 'house': {
      const [w, h, roof] = [vary(0.25), vary(0.2), vary(0.25)];
      return [
        polygon(-w, 0.3, -w, 0.3 - 2 * h, w, 0.3 - 2 * h, w, 0.3),
        polygon(-w * 1.25, 0.3 - 2 * h, 0, 0.3 - 2 * h - roof, w * 1.25, 0.3 - 2 * h),
      ];
    }
    case 'star': {
      const [spikes, inner, turn] = [5 + Math.floor(3 * random()), vary(0.16), random()];
      const corners = Array.from({ length: 2 * spikes }, (_, i) => {
        const [r, angle] = [i % 2 === 0 ? 0.38 : inner, turn + (Math.PI * i) / spikes];
        return [r * Math.cos(angle), r * Math.sin(angle)];
      });
      return [polygon(...corners.flat())];
    }
    case 'cactus': {
      const r = vary(0.06);
      const arms = [-1, 1].flatMap((side) => {
        const [x, y, top] = [side * vary(0.2), 0.1 + jitter(0.2), vary(0.2)];
        return [limb(0, y, r * 0.8, x, y, r * 0.8), limb(x, y, r * 0.8, x, y - top, r * 0.7)];
      });
      return [limb(0, 0.4, r, jitter(0.05), vary(-0.35), r * 0.9), ...arms];
    }
    case 'rock': {
      const corners = Array.from({ length: 9 }, (_, i) => {
        const [r, angle] = [0.2 + 0.16 * random(), (2 * Math.PI * (i + 0.5 * random())) / 9];
        return [1.2 * r * Math.cos(angle), r * Math.sin(angle)];
      });
      return [polygon(...corners.flat())];
    }
    case 'table': {
      const [w, y, r] = [vary(0.32), vary(-0.12), vary(0.035)];
      const legs = [-0.85, 0.85].map((side) => limb(side * w, y, r, side * w + jitter(0.06), 0.32, r * 0.8));
      return [polygon(-w, y - 0.05, w, y - 0.05, w, y + 0.05, -w, y + 0.05), ...legs];
    }
    case 'lamp': {
      const [w, top] = [vary(0.2), vary(-0.35)];
      return [
        limb(0, top + 0.1, 0.025, jitter(0.1), 0.35, 0.025),
        limb(-0.12, 0.36, 0.035, 0.12, 0.36, 0.035),
        polygon(-w * 0.5, top, w * 0.5, top, w, top + 0.25, -w, top + 0.25),
      ];
    }
  }
}
