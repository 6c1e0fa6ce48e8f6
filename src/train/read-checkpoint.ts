import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../base/errors.js';
import { whatIsThere } from '../base/what-is-there.js';
import type { SplitStems } from '../data/recorded-split.js';
import { sha256, sha256OfFile } from '../files/digest.js';
import { readSafetensors } from '../files/safetensors.js';
import { CHECKPOINT_FILES, type Checkpoint, type CheckpointInfo, checkpointInfo } from './checkpoint.js';
import { infoDigest } from './info-digest.js';

/** Reads `checkpoint.json` alone. @throws UserError naming the file where it is missing, foreign or damaged. */
export async function readCheckpointInfo(path: string): Promise<CheckpointInfo> {
  const file = join(path, CHECKPOINT_FILES.info);
  const fail = (got: string, cause?: unknown) =>
    new UserError(
      `${file}: expected a checkpoint of this project, got ${got}; name another folder`,
      { path },
      { cause },
    );
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw fail(whatIsThere(cause), cause);
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw fail('a file that is not JSON', cause);
  }
  const parsed = checkpointInfo.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw fail(`${issue?.path.join('.') || 'something'}: ${issue?.message}`, parsed.error);
  }
  const digest = parsed.data.sha256[CHECKPOINT_FILES.info];
  if (digest !== undefined) checkDigest(path, file, infoDigest(json as CheckpointInfo), digest);
  return parsed.data;
}

const stems = z.array(z.string());
const splitStems = z.object({ train: stems, validation: stems, test: stems, unused: stems });

/**
 * The pictures of each split that a checkpoint's run began with; undefined for a checkpoint of an earlier version,
 * which did not record them.
 *
 * @throws UserError naming the file where it is damaged.
 */
export async function readSplits(path: string): Promise<SplitStems | undefined> {
  const info = await readCheckpointInfo(path);
  const file = join(path, CHECKPOINT_FILES.splits);
  if (info.sha256[CHECKPOINT_FILES.splits] === undefined && !existsSync(file)) return undefined;
  const fail = (got: string | undefined, cause: unknown) =>
    new UserError(
      `${file}: expected the pictures of each split, got ${got}; use another checkpoint`,
      { path },
      { cause },
    );
  const text = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    throw fail(whatIsThere(cause), cause);
  });
  checkDigest(path, file, sha256(text), info.sha256[CHECKPOINT_FILES.splits]);
  try {
    return splitStems.parse(JSON.parse(text.toString()));
  } catch (cause) {
    throw fail('something else', cause);
  }
}

/** Reads a whole checkpoint and checks every byte of it. @throws UserError naming the file at fault. */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const info = await readCheckpointInfo(path);
  const read = async (name: keyof CheckpointInfo['sha256']) => {
    const file = join(path, name);
    const { tensors } = await readSafetensors(file);
    checkDigest(path, file, await sha256OfFile(file), info.sha256[name]);
    return tensors;
  };
  return {
    path,
    info,
    parameters: await read(CHECKPOINT_FILES.parameters),
    state: await read(CHECKPOINT_FILES.state),
  };
}

function checkDigest(path: string, file: string, got: string, expected: string | undefined): void {
  if (got !== expected)
    throw new UserError(`${file}: expected the bytes that were written, got others; use another checkpoint`, {
      path,
    });
}
