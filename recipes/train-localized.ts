// Trains a ViT for segmentation with Localized LoRA: K × K low-rank blocks beside each adapted weight.
//
//   node recipes/train-localized.js
//   node recipes/train-localized.js --image-dir data/pets/images --mask-dir data/pets/masks \
//     --model-name google/vit-base-patch16-224 --epochs 50 --batch-size 32

process.argv.splice(2, 0, '--adapter', 'localized_lora');
await import('./train.js');
