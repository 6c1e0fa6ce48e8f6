/**
 * The precisions to which matrix products may round their factors. In int16 and int8 the products of frozen weights are
 * computed in integers, and all others in f32 or bf16.
 */
export const PRECISIONS = ['f32', 'tf32', 'bf16', 'f16', 'int16', 'int8'] as const;
/** The precision to which matrix products round their factors. */
export type Precision = (typeof PRECISIONS)[number];
