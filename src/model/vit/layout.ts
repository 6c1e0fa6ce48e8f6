/**
 * From PyTorch's layout to ours: [out, in] → [in, out], and [out, channels, y, x] → [(y, x, channels), out]; tensors of
 * other ranks are copied as they are. `shape` is PyTorch's.
 */
export function fromTorchLayout(data: Float32Array, shape: readonly number[]): Float32Array {
  return moved(data, shape, (result, theirs, ours) => {
    result[ours] = data[theirs]!;
  });
}

/** From our layout to PyTorch's `shape`: the inverse of `fromTorchLayout`. */
export function toTorchLayout(data: Float32Array, shape: readonly number[]): Float32Array {
  return moved(data, shape, (result, theirs, ours) => {
    result[theirs] = data[ours]!;
  });
}

function moved(
  data: Float32Array,
  shape: readonly number[],
  move: (result: Float32Array, theirs: number, ours: number) => void,
): Float32Array {
  if (shape.length !== 2 && shape.length !== 4) return data.slice();
  const [out, channels, height = 1, width = 1] = shape as [number, number, number?, number?];
  const result = new Float32Array(data.length);
  for (let o = 0, theirs = 0; o < out; o++)
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) move(result, theirs++, ((y * width + x) * channels + c) * out + o);
  return result;
}
