import { trainingSuite } from '../../engine/training-suite.js';

trainingSuite('webgpu');
