/** The values of a picture, row by row: bytes, or 16 bits where it is more than RGB of 8 bits. */
export type Values = Uint8Array | Uint16Array;

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** RGB bytes, row by row. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** A picture of any number of channels: 16-bit values of which 65535 is full scale, `channels` of them a pixel. */
export interface DeepPixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint16Array;
}

/** A picture's size and its values. */
interface Sized {
  readonly width: number;
  readonly height: number;
  readonly image: { readonly length: number };
}

/** The values of one pixel. */
export function channelsOf({ width, height, image }: Sized): number {
  return image.length / (width * height);
}

/** New memory for as many values of the same kind. */
export function valuesLike<V extends Values>(values: V, length: number = values.length): V {
  return (values instanceof Uint8Array ? new Uint8Array(length) : new Uint16Array(length)) as V;
}

/** The same values in memory of their own; not `slice`, which is a view where bytes are a Node Buffer. */
export function copied<V extends Values>(values: V): V {
  const copy = valuesLike(values);
  copy.set(values);
  return copy;
}
