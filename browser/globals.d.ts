declare module '*.wasm' {
  /** A data address. */
  const url: string;
  export default url;
}

declare module '@tensorflow/tfjs-core/dist/register_all_gradients.js';

interface Navigator {
  readonly gpu?: {
    requestAdapter(): Promise<{
      readonly info: { readonly vendor: string; readonly architecture: string; readonly description: string };
    } | null>;
  };
}
