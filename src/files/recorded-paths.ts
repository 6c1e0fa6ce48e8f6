import { existsSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../base/package.js';

/**
 * Settings that name files and folders, or lists of them; the values of other settings may look like paths but are
 * not.
 */
const KEYS = [
  'imageDir',
  'maskDir',
  'labels',
  'manifest',
  'shards',
  'parquet',
  'coco',
  'list',
  'trainList',
  'validationList',
  'testList',
  'modelName',
  'plugin',
];

/** The location of a path when a run recorded it. */
const place = z.object({
  absolute: z.string(),
  /** From the run's folder, for a path that moves together with its data. */
  relative: z.string(),
  /** From this package's folder, for files of the package. */
  package: z.string().optional(),
});

export const recordedPaths = z.record(z.string(), place);

/** By the path as it was typed. */
export type RecordedPaths = z.infer<typeof recordedPaths>;

/** The locations of the files and folders that a run's settings name, relative to its folder `dir`. */
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

/** The values of those keys, including nested ones, as in a model's record. */
function typedPaths(settings: object): string[] {
  return Object.entries(settings).flatMap(([key, value]: [string, unknown]) => {
    if (KEYS.includes(key)) return [value].flat().filter((path) => typeof path === 'string');
    return typeof value === 'object' && value !== null ? typedPaths(value) : [];
  });
}

/**
 * The present location of a path in a run's settings: beside the run if it was moved with it, else its recorded
 * location, else the typed path, from the current folder.
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
