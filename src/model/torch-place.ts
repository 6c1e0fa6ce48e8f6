/** Where PyTorch keeps one of our parameters. */
export interface TorchPlace {
  readonly parameter: string;
  readonly key: string;
  /** PyTorch's; our layout is another for matrices (see `fromTorchLayout`). */
  readonly shape: readonly number[];
}
