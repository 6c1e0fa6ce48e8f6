/** The last block of each quarter of a ViT, from 0: 2, 5, 8 and 11 of twelve; of fewer than four blocks some twice. */
export function quarters(depth: number): number[] {
  return [1, 2, 3, 4].map((quarter) => Math.max(1, Math.round((quarter * depth) / 4)) - 1);
}
