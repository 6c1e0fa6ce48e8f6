import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../base/errors.js';
import { tensor } from '../base/tfjs-core.js';
import type { AdapterParameter, MapInputs } from '../model/adapter.js';
import { dot } from '../numeric/dot.js';
import { topSingular } from '../numeric/top-singular.js';
import { normal, type Random } from '../random/random-stream.js';

/** How the factors of LoRA start. */
export const LORA_STARTS = ['kaiming', 'gaussian', 'orthogonal', 'pissa', 'olora', 'eva'] as const;
/** The name of a start. */
export type LoraStart = (typeof LORA_STARTS)[number];

/** Whether A·B starts as a part of the weight, which is then subtracted: A₀ and B₀ are kept as they were. */
export const startsInWeight = (start: LoraStart) => start === 'pissa' || start === 'olora';

interface Size {
  readonly inputs: number;
  readonly outputs: number;
  readonly rank: number;
  readonly scale: number;
}

type Start = (size: Size, weight: Tensor, random: Random) => Float32Array;

const gaussians = (count: number, random: Random, spread = 1) =>
  Float32Array.from({ length: count }, () => spread * normal(random));

/**
 * A [in, r] and B [r, out] at the start, where they are not uniform in ±1/√in and zero.
 *
 * - gaussian: A ~ N(0, 1/r²), B zero.
 * - orthogonal: rows of A and columns of B lie in orthogonal halves of the space of rank, so that A·B is zero and neither
 *   factor is.
 * - pissa (Meng et al. 2024, arXiv:2404.02948): the r largest singular triples of W = U·S·Vᵀ, A = U·√(S/s),
 *   B = √(S/s)·Vᵀ for the scale s.
 * - olora (Büyükakyüz 2024, arXiv:2406.01775): of Wᵀ = Q·R, A = (rows of R)ᵀ and B = (columns of Q)ᵀ.
 * - eva (Paischer et al. 2024, arXiv:2410.07170): the columns of A are the r principal components of the map's inputs over
 *   some batches (`AdapterStart`), B zero; each map keeps its rank, which is their ρ = 1.
 */
const STARTS: Partial<Record<LoraStart, readonly [a: Start, b: Start | undefined]>> = {
  gaussian: [({ inputs, rank }, _weight, random) => gaussians(inputs * rank, random, 1 / rank), undefined],
  orthogonal: [
    ({ inputs, rank }, _weight, random) => halfA(inputs, rank, gaussians(inputs * (rank / 2), random, 0.1)),
    ({ outputs, rank }, _weight, random) =>
      halfB(outputs, rank, gaussians(outputs * (rank / 2), random, 0.1)),
  ],
  pissa: [(size, weight) => principal(size, weight).a, (size, weight) => principal(size, weight).b],
  olora: [(size, weight) => rotated(size, weight).a, (size, weight) => rotated(size, weight).b],
};

/** A of `eva`. @throws UserError for fewer rows of inputs than ranks. */
export function principalInputs({ inputs, rank }: Pick<Size, 'inputs' | 'rank'>, seen: MapInputs): Tensor {
  if (seen.rows <= rank)
    throw new UserError(
      `init: expected more than ${rank} tokens to start by eva, got ${seen.rows}; see --init`,
    );
  const axes = seen.axes(rank);
  return tensor(
    Float32Array.from({ length: inputs * rank }, (_, at) => axes[at % rank]![Math.floor(at / rank)]!),
    [inputs, rank],
  );
}

/** The initial values of A and B. */
export function loraInits(start: LoraStart, size: Size): Record<'a' | 'b', AdapterParameter['init']> {
  const [a, b] = STARTS[start] ?? [];
  const { inputs, outputs, rank } = size;
  return {
    a: a ? (weight, random) => tensor(a(size, weight, random), [inputs, rank]) : 1 / Math.sqrt(inputs),
    b: b ? (weight, random) => tensor(b(size, weight, random), [rank, outputs]) : 0,
  };
}

/** Rows of the orthonormal cosine basis of `rank` dimensions, of which A takes the even ones and B the odd ones. */
function cosine(row: number, column: number, rank: number): number {
  return Math.sqrt((row === 0 ? 1 : 2) / rank) * Math.cos((Math.PI * (column + 0.5) * row) / rank);
}

function halfA(inputs: number, rank: number, drawn: Float32Array): Float32Array {
  return Float32Array.from({ length: inputs * rank }, (_, at) => {
    const [i, column] = [Math.floor(at / rank), at % rank];
    let sum = 0;
    for (let k = 0; k < rank / 2; k++) sum += drawn[i * (rank / 2) + k]! * cosine(2 * k, column, rank);
    return sum;
  });
}

function halfB(outputs: number, rank: number, drawn: Float32Array): Float32Array {
  return Float32Array.from({ length: rank * outputs }, (_, at) => {
    const [column, j] = [Math.floor(at / outputs), at % outputs];
    let sum = 0;
    for (let k = 0; k < rank / 2; k++) sum += drawn[k * outputs + j]! * cosine(2 * k + 1, column, rank);
    return sum;
  });
}

interface Factors {
  readonly a: Float32Array;
  readonly b: Float32Array;
}

/** Factors of a weight that were computed last: A and B are asked for one after the other. */
const last = new WeakMap<Tensor, { readonly key: string; readonly factors: Factors }>();

function once(key: string, size: Size, weight: Tensor, compute: () => Factors): Factors {
  const whole = `${key} ${size.rank} ${size.scale}`;
  const known = last.get(weight);
  if (known?.key === whole) return known.factors;
  const factors = compute();
  last.set(weight, { key: whole, factors });
  return factors;
}

function principal(size: Size, weight: Tensor): Factors {
  const { inputs, outputs, rank, scale } = size;
  return once('pissa', size, weight, () => {
    const { values, left, right } = topSingular(weight.dataSync(), inputs, outputs, rank);
    const roots = values.map((value) => Math.sqrt(value / scale));
    return {
      a: Float32Array.from({ length: inputs * rank }, (_, at) => {
        const k = at % rank;
        return left[k]![Math.floor(at / rank)]! * roots[k]!;
      }),
      b: Float32Array.from({ length: rank * outputs }, (_, at) => {
        const k = Math.floor(at / outputs);
        return right[k]![at % outputs]! * roots[k]!;
      }),
    };
  });
}

/** Q by Gram and Schmidt, twice: an orthonormal basis of the first r rows of W; R is what W has in it. */
function rotated(size: Size, weight: Tensor): Factors {
  const { inputs, outputs, rank } = size;
  return once('olora', size, weight, () => {
    const data = weight.dataSync();
    const row = (i: number) => Float64Array.from(data.subarray(i * outputs, (i + 1) * outputs));
    const basis: Float64Array[] = [];
    for (let k = 0; k < rank; k++) {
      const q = row(k);
      for (let twice = 0; twice < 2; twice++)
        for (const other of basis) {
          const part = dot(other, q);
          q.forEach((x, j) => (q[j] = x - part * other[j]!));
        }
      const length = Math.sqrt(dot(q, q)) || 1;
      basis.push(q.map((x) => x / length));
    }
    const rows = Array.from({ length: inputs }, (_, i) => row(i));
    return {
      a: Float32Array.from({ length: inputs * rank }, (_, at) =>
        dot(rows[Math.floor(at / rank)]!, basis[at % rank]!),
      ),
      b: Float32Array.from(
        { length: rank * outputs },
        (_, at) => basis[Math.floor(at / outputs)]![at % outputs]!,
      ),
    };
  });
}
