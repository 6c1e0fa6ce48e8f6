// Trains a ViT for segmentation with LoRA: a low-rank change beside each adapted weight.
//
//   node recipes/train-lora.js
//   node recipes/train-lora.js --image-dir data/pets/images --mask-dir data/pets/masks \
//     --model-name google/vit-base-patch16-224 --epochs 50 --batch-size 32

process.argv.splice(2, 0, '--adapter', 'lora');
await import('./train.js');
