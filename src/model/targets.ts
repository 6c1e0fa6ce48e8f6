/** The linear maps of a block, in the order in which a token meets them. */
export const TARGETS = ['query', 'key', 'value', 'output', 'fc1', 'fc2'] as const;
/** The name of a linear map of a block. */
export type Target = (typeof TARGETS)[number];
