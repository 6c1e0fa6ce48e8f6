import '@tensorflow/tfjs-backend-cpu';
import './chained-ops.js';
// The gradients of tfjs's own operations: its core has them in no form that Node can import, and of all packages that
// carry them this is the smallest.
import '@tensorflow/tfjs-layers';
import { enableProdMode } from '@tensorflow/tfjs-core';

// Production mode only silences tfjs's advice on standard error.
enableProdMode();
