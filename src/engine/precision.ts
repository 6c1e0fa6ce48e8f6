/** Names of what matrix products may round their factors to. */
export const PRECISIONS = ['f32', 'tf32', 'bf16'] as const;
/** What matrix products round their factors to. */
export type Precision = (typeof PRECISIONS)[number];
