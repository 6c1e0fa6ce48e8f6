import { existsSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../base/package.js';

/** Settings that name files and folders, or lists of them; others may look like a path and be none. */
const KEYS = ['imageDir', 'maskDir', 'list', 'modelName', 'plugin'];

/** Where a path lay when a run recorded it. */
const place = z.object({
  absolute: z.string(),
  /** From the run's folder, for one that is moved together with its data. */
  relative: z.string(),
  /** From this package's folder, for what ships with it. */
  package: z.string().optional(),
});

export const recordedPaths = z.record(z.string(), place);

/** By the path as it was typed. */
export type RecordedPaths = z.infer<typeof recordedPaths>;

/** Where the files and folders lie that a run's settings name, as seen from its folder `dir`. */
export function recordPaths(settings: Readonly<Record<string, unknown>>, dir: string): RecordedPaths {
  const there = typedPaths(settings).filter((path) => existsSync(path));
  return Object.fromEntries(
    there.map((path) => {
      const absolute = resolve(path);
      const inside = relative(packageRoot, absolute);
      const ships = inside.split('/')[0] === 'fixtures' && !isAbsolute(inside);
      return [
        path,
        { absolute, relative: relative(resolve(dir), absolute), ...(ships && { package: inside }) },
      ];
    }),
  );
}

/** The values of those keys, also where one setting holds others, as a model's record does. */
function typedPaths(settings: object): string[] {
  return Object.entries(settings).flatMap(([key, value]: [string, unknown]) => {
    if (KEYS.includes(key)) return [value].flat().filter((path) => typeof path === 'string');
    return typeof value === 'object' && value !== null ? typedPaths(value) : [];
  });
}

/**
 * The present place of a path of a run's settings: beside the run where it was moved with it, else where it lay, else as it was
 * typed, from the current folder.
 */
export function locate(recordedPath: string, paths: RecordedPaths | undefined, dir: string): string {
  const was = paths && Object.hasOwn(paths, recordedPath) ? paths[recordedPath] : undefined;
  if (!was) return recordedPath;
  const now = [
    ...(was.package === undefined ? [] : [join(packageRoot, was.package)]),
    resolve(dir, was.relative),
    was.absolute,
  ];
  return now.find((path) => existsSync(path)) ?? recordedPath;
}
