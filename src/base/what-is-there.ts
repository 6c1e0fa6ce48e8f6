const FOUND: Readonly<Record<string, string>> = {
  ENOENT: 'nothing there',
  ENOTDIR: 'a file in place of a folder',
  EISDIR: 'a folder',
  EACCES: 'one that may not be read',
  EPERM: 'one that may not be read',
};

/** What a failed access to a file found in its place, in words for a message: `nothing there` for ENOENT. */
export function whatIsThere({ code, message }: NodeJS.ErrnoException): string {
  return FOUND[code ?? ''] ?? code ?? message;
}
