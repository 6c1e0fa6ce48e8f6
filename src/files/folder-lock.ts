import {
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../base/errors.js';
import { say } from '../base/say.js';
import { makeFolder, removeMade } from './make-folder.js';
import { writeError } from './write-error.js';

const NAME = '.lock';
/** Milliseconds between two signs of life. */
const BEAT = 15_000;
/**
 * Milliseconds without a sign of life after which a process on another machine counts as dead: longer than any step
 * takes.
 */
const SILENT = 300_000;

interface Holder {
  /** The machine and its process namespace: a container counts as a machine of its own. */
  readonly host: string;
  readonly pid: number;
  /** When the process started, if the system tells: a process id may be reused. */
  readonly started: string | null;
}

const releases = new Set<() => void>();
process.on('exit', () => releases.forEach((release) => release()));

/**
 * Makes a folder this process's own: `<dir>/.lock` says who holds it. What it returns gives the folder back; the end of
 * the process does so too. The folder is made where it is not there, and a lock is a file, so this also proves that the
 * folder can be written.
 *
 * A lock whose process has died is taken over with a line. On this machine that is known at once; a process elsewhere,
 * as on a network drive, counts as dead after five minutes without a sign of life.
 *
 * @throws UserError where a live process holds it, by name, and where it cannot be written.
 */
export function lockFolder(dir: string, tell = say): () => void {
  const path = resolve(dir, NAME);
  const me: Holder = { host: host(), pid: process.pid, started: startOf(process.pid) };
  const newFolder = makeFolder(dir);
  const text = JSON.stringify(me);
  let file: number | undefined;
  while (file === undefined) {
    file = create(path, dir);
    if (file === undefined) giveWay(path, dir, tell);
  }
  const descriptor = file;
  try {
    writing(dir, () => writeSync(descriptor, text, 0));
  } catch (error) {
    closeSync(descriptor);
    rmSync(path, { force: true });
    removeMade(dir, newFolder);
    throw error;
  }
  const beat = setInterval(() => {
    try {
      // Not the clock of this machine but that of the drive, by which others judge it.
      writeSync(descriptor, text, 0);
    } catch {
      // A missed beat is no reason to end a run.
    }
  }, BEAT).unref();
  const release = () => {
    if (!releases.delete(release)) return;
    clearInterval(beat);
    const mine = inodeOf(path) === fstatSync(descriptor).ino;
    closeSync(descriptor);
    if (mine) rmSync(path, { force: true });
    removeMade(dir, newFolder);
  };
  releases.add(release);
  return release;
}

/** Makes a folder this process's own as soon as no other process holds it. `why` says why it waits, for its line. */
export async function lockInTurn(dir: string, why: string): Promise<() => void> {
  for (let told = false; ; told = true) {
    try {
      return lockFolder(dir);
    } catch (error) {
      if (!isLocked(dir)) throw error;
      if (!told) say(`${dir}: waiting for another process, ${why}`);
      await sleep(500);
    }
  }
}

/** Whether a live process holds a folder by `lockFolder`. Where the folder cannot be written, one elsewhere counts as dead. */
export function isLocked(dir: string): boolean {
  const path = resolve(dir, NAME);
  const text = read(path);
  if (text === undefined) return false;
  try {
    return isAlive(parse(text), path, dir);
  } catch {
    return false;
  }
}

function create(path: string, dir: string): number | undefined {
  try {
    return openSync(path, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw writeError(dir, error);
  }
}

/** Removes a dead process's lock, or throws. */
function giveWay(path: string, dir: string, tell: typeof say): void {
  let before: string;
  try {
    before = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw writeError(path, error);
  }
  const holder = parse(before);
  const who = holder ? `process ${holder.pid} on ${holder.host.split(' ')[0]}` : 'another process';
  if (isAlive(holder, path, dir))
    throw new UserError(
      `${dir}: expected a folder that no other process is writing, got one that ${who} has locked; wait for it to end, or give another --run-name or folder`,
      { path: dir, ...holder },
    );
  const aside = `${path}.${process.pid}.unfinished`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw writeError(dir, error);
  }
  if (read(aside) !== before) {
    // Another process took it over in between: back with its lock.
    renameSync(aside, path);
    return;
  }
  unlinkSync(aside);
  tell(`${dir}: ${who} ended without giving this folder back; taking it over`);
}

function isAlive(holder: Holder | undefined, path: string, dir: string): boolean {
  if (holder?.host === host()) {
    try {
      process.kill(holder.pid, 0);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EPERM';
    }
    return startOf(holder.pid) === holder.started;
  }
  const beat = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return driveTime(dir) - beat < SILENT;
}

/** The current time by the clock of the drive that holds a folder. */
function driveTime(dir: string): number {
  const probe = join(dir, `.probe.${process.pid}.unfinished`);
  return writing(dir, () => {
    const file = openSync(probe, 'w');
    const { mtimeMs } = fstatSync(file);
    closeSync(file);
    unlinkSync(probe);
    return mtimeMs;
  });
}

function host(): string {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/**
 * Ticks from the machine's start to the process's (field 22 of Linux's `stat`); null if the system has none.
 */
function startOf(pid: number): string | null {
  const stat = read(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

/** Undefined for what is not there, be it that a folder above it is gone or has become a file. */
function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch {
    return undefined;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function parse(text: string): Holder | undefined {
  try {
    const { host, pid, started } = JSON.parse(text) as Partial<Holder>;
    if (typeof host === 'string' && Number.isSafeInteger(pid))
      return { host, pid: pid!, started: started ?? null };
  } catch {
    // A lock that is being written, or that a full disk cut short: judged by its age.
  }
  return undefined;
}

function writing<T>(dir: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw writeError(dir, error);
  }
}
