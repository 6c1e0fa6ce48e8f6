import '../src/base/node-version.js';

export * from '../src/report/render.js';
export * from '../src/report/run-plots.js';
export * from '../src/report/study/contour.js';
export * from '../src/report/study/history.js';
export * from '../src/report/study/importances.js';
export * from '../src/report/study/intermediate.js';
export * from '../src/report/study/parallel.js';
export * from '../src/report/study/pareto.js';
export * from '../src/report/study/slice.js';
export { type StudyData, studyData } from '../src/report/study/study-data.js';
export * from '../src/report/study/study-plots.js';
