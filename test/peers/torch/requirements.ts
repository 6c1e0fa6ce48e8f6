/** The versions of the same that are current: transformers names its modules otherwise since 5. */
export const TODAY = [
  'torch==2.13.0',
  'numpy==2.3.5',
  'safetensors==0.8.0',
  'transformers==5.24.0',
  'peft==0.21.2',
];
