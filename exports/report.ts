import '../src/base/node-version.js';

// Plots of a study, by name or one at a time.
export { studyPlots, writeStudyPlots } from '../src/report/study/study-plots.js';
export { type StudyData, studyData } from '../src/report/study/study-data.js';
export { plotOptimizationHistory } from '../src/report/study/history.js';
export { plotIntermediateValues } from '../src/report/study/intermediate.js';
export { plotParamImportances } from '../src/report/study/importances.js';
export { type ParamsOptions, plotSlice } from '../src/report/study/slice.js';
export { plotContour } from '../src/report/study/contour.js';
export { plotParallelCoordinates } from '../src/report/study/parallel.js';
export { plotParetoFront } from '../src/report/study/pareto.js';

// Plots of a run.
export { runPlots } from '../src/report/run-plots.js';

// A plot as a file.
export { type Plot, toSvg, writePlot } from '../src/report/render.js';

// Plots and pictures in a notebook.
export { type Display, show } from '../src/report/show.js';
