// Trains a ViT for segmentation with Serial LoRA: a low-rank map before the query, key and value of each block.
//
//   node recipes/train-serial.js
//   node recipes/train-serial.js --image-dir data/pets/images --mask-dir data/pets/masks \
//     --model-name google/vit-base-patch16-224 --epochs 50 --batch-size 32

process.argv.splice(2, 0, '--adapter', 'serial_lora');
await import('./train.js');
