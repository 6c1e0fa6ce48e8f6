/** An observation of a parameter, as a kernel. */
export interface Kernel {
  /** Of its trial. */
  readonly number: number;
  readonly centre: number;
  /** Its width before clipping. */
  gap: number;
  /** Whether it is part of the field. */
  narrow: boolean;
  /** Its width after clipping. */
  width: number;
  /** What a weight of 1 is worth at that width: its height, or on a grid what makes its mass 1. */
  amplitude: number;
}

/** Kernels in two orders: by their trials, which is the order of the weights, and by their centres. */
export class KernelOrder {
  /** By trial number. */
  readonly byNumber: Kernel[] = [];
  /** By centre, then number. */
  readonly byCentre: Kernel[] = [];

  get count(): number {
    return this.byNumber.length;
  }

  /** Returns the kernel's place by centre. */
  insert(kernel: Kernel): number {
    this.byNumber.splice(this.rankOf(kernel.number), 0, kernel);
    const place = this.#placeOf(kernel);
    this.byCentre.splice(place, 0, kernel);
    return place;
  }

  /** Returns the place by centre that the kernel had. */
  remove(kernel: Kernel): number {
    this.byNumber.splice(this.rankOf(kernel.number), 1);
    const place = this.#placeOf(kernel);
    this.byCentre.splice(place, 1);
    return place;
  }

  /** The place of a trial's kernel by number, or where it would be. */
  rankOf(number: number): number {
    const { byNumber } = this;
    const last = byNumber.length;
    if (last === 0 || byNumber[last - 1]!.number < number) return last;
    return search(last, (i) => byNumber[i]!.number < number);
  }

  #placeOf({ centre, number }: Kernel): number {
    const { byCentre } = this;
    return search(byCentre.length, (i) => {
      const other = byCentre[i]!;
      return other.centre === centre ? other.number < number : other.centre < centre;
    });
  }
}

/** The first index that does not come before. */
function search(count: number, isBefore: (i: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
