// The gradients of tfjs's own operations: its core has them in no form that Node can import.
import '@tensorflow/tfjs';
import { enableProdMode } from '@tensorflow/tfjs-core';

// Production mode only silences tfjs's advice on standard error.
enableProdMode();
