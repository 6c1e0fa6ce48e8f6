interface TarOptions {
  readonly type?: string;
  readonly prefix?: string;
  /** How names are stored that may be longer than 100 bytes. */
  readonly long?: 'pax' | 'gnu';
}

/** A tar archive of these files (POSIX 1003.1 ustar), for tests. */
export function tar(files: Readonly<Record<string, string | Buffer>>, options: TarOptions = {}): Buffer {
  const blocks: Buffer[] = [];
  for (const [path, text] of Object.entries(files)) {
    if (options.long === 'pax') blocks.push(...entry('pax', paxRecord('path', path), 'x'));
    if (options.long === 'gnu') blocks.push(...entry('././@LongLink', Buffer.from(`${path}\0`), 'L'));
    const name = options.long ? 'shortened' : path;
    blocks.push(...entry(name, Buffer.from(text), options.type ?? '0', options.prefix));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function entry(name: string, data: Buffer, type: string, prefix = ''): Buffer[] {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write('0000644\0', 100);
  header.write(`${data.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write(' '.repeat(8), 148);
  header.write(type, 156);
  header.write('ustar\x0000', 257, 'latin1');
  header.write(prefix, 345, 155);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return [header, data, Buffer.alloc((512 - (data.length % 512)) % 512)];
}

function paxRecord(key: string, value: string): Buffer {
  const body = ` ${key}=${value}\n`;
  let length = body.length;
  while (String(length).length + body.length !== length) length = String(length).length + body.length;
  return Buffer.from(`${length}${body}`);
}
