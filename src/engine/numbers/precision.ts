/** The precisions to which matrix products may round their factors. */
export const PRECISIONS = ['f32', 'tf32', 'bf16'] as const;
/** The precision to which matrix products round their factors. */
export type Precision = (typeof PRECISIONS)[number];
