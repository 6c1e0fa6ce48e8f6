/** What the tests against PyTorch and PEFT run with; pip takes a CPU build of torch where one lies on its path. */
export const TORCH = [
  'torch==2.13.0',
  'numpy==2.3.5',
  'safetensors==0.7.0',
  'transformers==4.57.6',
  'peft==0.20.0',
];
