import { dirname, resolve } from 'node:path';
import { UserError } from '../base/errors.js';

/** Turns the errors of a full, read-only or forbidden location into one line that names it. */
export function writeError(path: string, cause: unknown): unknown {
  const why: Record<string, string> = {
    ENOSPC: 'the disk is full; free some space',
    EDQUOT: 'the disk quota is used up; free some space',
    EACCES: 'permission is denied; choose another folder or change its rights',
    EPERM: 'permission is denied; choose another folder or change its rights',
    EROFS: 'the file system is read-only; choose another folder',
    ENOTDIR: 'a part of the path is a file; choose another folder',
    EEXIST: 'a file exists where a folder is needed; choose another folder',
    EISDIR: 'a folder exists where a file is needed; choose another name',
    EFBIG: 'the file would be larger than is allowed; raise the limit',
    ENAMETOOLONG: 'the name is too long; choose a shorter one',
    EIO: 'the drive reports an error; check it',
    ENODEV: 'the drive is gone; check it',
    ENXIO: 'the drive is gone; check it',
    ENOENT: 'its folder is gone; leave it there while a run writes to it',
  };
  const { code = '', path: at = path } = (cause ?? {}) as NodeJS.ErrnoException;
  // What is missing may also be a file that was to be read.
  const here = code !== 'ENOENT' || dirname(resolve(at)) === dirname(resolve(path));
  return here && why[code]
    ? new UserError(`${path}: expected to write here, but ${why[code]}`, { path, code }, { cause })
    : cause;
}
