/** What reads our exports, and writes what we import. */
export const INTEROP = [
  'torch==2.13.0',
  'numpy==2.3.5',
  'safetensors==0.8.0',
  'transformers==5.24.0',
  'peft==0.21.2',
  'timm==1.0.31',
  'pillow==12.3.0',
  'onnx==1.23.2',
  'onnxruntime==1.32.0',
];
