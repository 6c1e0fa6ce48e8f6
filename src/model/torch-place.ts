/** PyTorch's place for one of our parameters. */
export interface TorchPlace {
  readonly parameter: string;
  readonly key: string;
  /** The shape in PyTorch; matrices have another layout here (see `fromTorchLayout`). */
  readonly shape: readonly number[];
}
