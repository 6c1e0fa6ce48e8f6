import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/**
 * A protobuf message under construction: each call writes one field by its number.
 *
 * @example
 * const message = new Message();
 * message.int(1, 150);
 * [...message.finish()]; // => [8, 150, 1]
 */
export class Message {
  readonly #writer = new BinaryWriter();

  int(field: number, value: number): void {
    this.#writer.tag(field, WireType.Varint).int64(value);
  }

  bool(field: number, value: boolean): void {
    this.#writer.tag(field, WireType.Varint).bool(value);
  }

  /** A number of 32 bits: one beyond them is infinite, as where a tensor holds it. */
  float(field: number, value: number): void {
    this.#writer.tag(field, WireType.Bit32).float(Math.fround(value));
  }

  double(field: number, value: number): void {
    this.#writer.tag(field, WireType.Bit64).double(value);
  }

  /** A repeated field, packed. */
  doubles(field: number, values: readonly number[]): void {
    this.#writer.tag(field, WireType.LengthDelimited).fork();
    for (const value of values) this.#writer.double(value);
    this.#writer.join();
  }

  text(field: number, value: string): void {
    this.#writer.tag(field, WireType.LengthDelimited).string(value);
  }

  bytes(field: number, value: Uint8Array): void {
    this.#writer.tag(field, WireType.LengthDelimited).bytes(value);
  }

  message(field: number, write: (message: this) => void): void {
    this.#writer.tag(field, WireType.LengthDelimited).fork();
    write(this);
    this.#writer.join();
  }

  finish(): Uint8Array {
    return this.#writer.finish();
  }
}
