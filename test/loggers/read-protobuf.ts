import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** The fields of a protobuf message by number: whole numbers, doubles and floats as numbers, all else as bytes. */
export class Fields {
  readonly #fields = new Map<number, (number | Uint8Array)[]>();

  constructor(bytes: Uint8Array) {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [field, wire] = reader.tag();
      const read: Partial<Record<WireType, () => number | Uint8Array>> = {
        [WireType.Varint]: () => Number(reader.int64()),
        [WireType.Bit64]: () => reader.double(),
        [WireType.Bit32]: () => reader.float(),
        [WireType.LengthDelimited]: () => reader.bytes(),
      };
      this.#fields.set(field, [...(this.#fields.get(field) ?? []), read[wire]!()]);
    }
  }

  has(field: number): boolean {
    return this.#fields.has(field);
  }

  number(field: number): number {
    return (this.#fields.get(field)?.[0] as number | undefined) ?? 0;
  }

  bytes(field: number): Uint8Array {
    return this.#fields.get(field)![0] as Uint8Array;
  }

  text(field: number): string {
    return new TextDecoder().decode(this.#fields.get(field)?.[0] as Uint8Array | undefined);
  }

  texts(field: number): string[] {
    const texts = (this.#fields.get(field) ?? []) as Uint8Array[];
    return texts.map((bytes) => new TextDecoder().decode(bytes));
  }

  message(field: number): Fields {
    return new Fields(this.bytes(field));
  }

  messages(field: number): Fields[] {
    return ((this.#fields.get(field) ?? []) as Uint8Array[]).map((bytes) => new Fields(bytes));
  }

  /** A packed field of doubles. */
  doubles(field: number): number[] {
    const bytes = this.bytes(field);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: bytes.length / 8 }, (_, i) => view.getFloat64(8 * i, true));
  }
}
