import '../src/base/node-version.js';

// A command: its description, its flags, and its work.
export { type Recipe, recipe, type Work } from '../src/cli/recipe.js';
export {
  type Config,
  type FlagGroups,
  ignored,
  nameIn,
  readUnless,
  type WhyUnread,
} from '../src/cli/flag.js';
export { printable } from '../src/base/printable.js';

// Flags that recipes share.
export { engineFlags } from '../src/experiment/engine-flags.js';
export { modelFlags, nameFlag, runFlags, trainingFlags } from '../src/experiment/training-flags.js';
export { presetFlag } from '../src/experiment/presets.js';
export { type ClassWeights, segmentationWeights } from '../src/experiment/class-weights.js';
export { type TileSettings, tiledSplits } from '../src/experiment/tiled-splits.js';
export { imageSizeFlag } from '../src/experiment/image-size-flag.js';
export { checkDeepSettings, type PixelSettings, pixelFormatOf } from '../src/experiment/pixel-format-of.js';
export { maskFormatOf } from '../src/experiment/mask-format-of.js';
export {
  classNamesOf,
  dataFlags,
  type MaskSettings,
  normalizationFlags,
} from '../src/experiment/data-flags.js';
export {
  classifierFlags,
  classifierRunFlags,
  classifierTrainingFlags,
  labelledDataFlags,
} from '../src/experiment/classification-flags.js';
export { adapterOf, type ChosenAdapterSettings, chosenAdapter } from '../src/experiment/adapter-flags.js';
export type { Peek } from '../src/cli/peek.js';
export {
  adapterCheckFlags,
  checkpointFlags,
  domainFlags,
  overwriteFlag,
  resolutionFlags,
  scoringFlags,
} from '../src/experiment/scoring-flags.js';
export { searchFlags } from '../src/experiment/search-flags.js';
export { studyFlags } from '../src/experiment/study-flags.js';
export { engineOf } from '../src/experiment/engine-of.js';

export { dividedPairs, type PairsSettings, type SplitRule } from '../src/experiment/divided-pairs.js';

// A training run: its folders, its task, its events.
export { type OpenRun, openRun, type RunSettings } from '../src/experiment/open-run.js';
export type { Task } from '../src/experiment/task.js';
export {
  type BackboneSettings,
  headOf,
  loadBackbone,
  type SegmentationParts,
  type SegmentationSettings,
  type SplitSettings,
  segmentationSplits,
  segmentationTask,
  trunkUse,
} from '../src/experiment/segmentation-task.js';
export {
  type ClassificationSettings,
  type ClassificationTask,
  classificationTask,
  labelTrunkUse,
  loadLabelBackbone,
} from '../src/experiment/classification-task.js';
export {
  classificationSplits,
  type LabelledSplits,
  type LabelSettings,
} from '../src/experiment/labelled-splits.js';
export {
  type TrainingRunOptions,
  type TrainingRunSettings,
  beginRun,
  trainingRun,
} from '../src/experiment/training-run.js';
export {
  adapterCommand,
  saveImported,
  settingsOfAdapter,
} from '../src/experiment/import-adapter.js';
export { type TrunkSettings, type TrunkUse, trunkNote } from '../src/experiment/cached-trunk.js';
export { type NotedSettings, trainingNotes } from '../src/experiment/training-notes.js';
export { resumedPlugins } from '../src/experiment/resumed-plugins.js';
export { type NamedRun, runNameOf } from '../src/experiment/run-name.js';
export { resumeNotes } from '../src/experiment/resume-notes.js';
export { warnOnError } from '../src/experiment/warn-on-error.js';
export { closingText } from '../src/experiment/closing.js';

// Trained runs: chosen, loaded, tried on domains, scored.
export {
  type BatchesOptions,
  batchesOf,
  eachDomain,
  labelledBatchesOf,
  type PlannedRun,
  plannedRuns,
  type Resolution,
} from '../src/experiment/planned-runs.js';
export {
  type ClassificationRun,
  classificationRun,
  type SegmentationRun,
  segmentationRun,
} from '../src/experiment/run-settings.js';
export { isClassification, loadTrained, type TrainedRun } from '../src/experiment/trained-runs.js';
export { byTask, type TaskWork } from '../src/experiment/by-task.js';
export { oneRun, oneRunFlags } from '../src/experiment/one-run.js';
export {
  type AskedAdapters,
  adapterName,
  adapterPathsFlag,
  combineFlags,
  withAdapters,
  withOneAdapter,
} from '../src/experiment/adapters-in-place.js';
export { type AdapterSource, loadAdapter } from '../src/experiment/load-adapter.js';
export type { AdaptersInPlace } from '../src/experiment/put-adapters.js';
export { pushFlags } from '../src/experiment/push-flags.js';
export { LABEL_FILES, LabelFiles, type LabelFilesOptions } from '../src/experiment/label-files.js';
export {
  EXPORT_FORMATS,
  type Exported,
  type ExportFormat,
  exportFiles,
  exportModel,
} from '../src/experiment/export-formats.js';
export { type CardSubject, modelCard, summaryOf } from '../src/experiment/model-card.js';
export { packageVersion } from '../src/base/package.js';
export { endForks } from '../src/experiment/end-forks.js';
export { failIfUnscored, scoredRun } from '../src/experiment/scored-run.js';
export { type PredictSettings, predictionFiles, predictRun } from '../src/experiment/predict-run.js';
export { isTiled, predictStitched, predictTiles } from '../src/experiment/stitched-pictures.js';
export {
  type EvaluationOptions,
  evaluateTrained,
} from '../src/experiment/evaluate-trained.js';
export { type CountedPicture, scorePictures, type TestEvaluation } from '../src/experiment/score-pictures.js';
export {
  type WholePicture,
  type WholePictureOptions,
  wholePictures,
} from '../src/experiment/whole-pictures.js';
export type { TestDomain } from '../src/experiment/test-domains.js';
export {
  type CountedDomain,
  PICTURES_FILE,
  SCORE_FILES,
  type ScoreRow,
  scoreLine,
  scoreTable,
  writePictures,
  writeScores,
} from '../src/experiment/score-files.js';
export { areNumbers, testScores } from '../src/loggers/summary.js';

// A comparison of adapters, matched in parameters or in seconds.
export { type ComparedCell, reportAdapters } from '../src/experiment/adapter-comparison.js';
export {
  matchedEpochs,
  matchedSettings,
  openAdapterCells,
  openTimingCells,
  type SettingsBySeries,
} from '../src/experiment/adapter-cells.js';
export type { MatchedSize } from '../src/experiment/matched-adapters.js';
export { openTuningCells, tunedRates, tuningText } from '../src/experiment/tuned-rates.js';

// Runs by what their files tell: listed and compared.
export {
  comparedPictures,
  notePictures,
  type PictureComparison,
  pictureRows,
  pictureWords,
  readPictures,
} from '../src/experiment/compare-pictures.js';
export {
  type BootstrapOptions,
  bootstrap,
  differenceOf,
  type Interval,
  intervalOf,
  type Resampled,
  type RunsCounts,
} from '../src/experiment/bootstrap.js';
export { foundRuns, namedRuns, type RunFolders } from '../src/experiment/found-runs.js';
export type { RunOverview, RunState } from '../src/experiment/run-overview.js';
export { type RunFilter, runFilter, sortedRuns } from '../src/experiment/run-fields.js';
export { runRecord, runsTable } from '../src/experiment/runs-table.js';
export { runFoldersFlags } from '../src/experiment/run-folders-flags.js';
export {
  comparedCurves,
  comparedPlots,
  comparedScoreRows,
  differingSettings,
  type RunCurve,
  sparklines,
} from '../src/experiment/compare-runs.js';

// A search for hyper-parameters.
export {
  type AdapterSearch,
  adapterSearch,
  type SearchedSettings,
} from '../src/experiment/adapter-search.js';
export type { OpenTask, SearchedTask, SearchSettings } from '../src/experiment/searched-task.js';
export { searchedTasks } from '../src/experiment/searched-tasks.js';
export { recordStudyPlugins, studyPlugins } from '../src/experiment/study-plugins.js';
export { type SearchStudySettings, searchStudy } from '../src/experiment/search-study.js';
export { type LoadedObjective, loadObjective, type ObjectiveReport } from '../src/experiment/objective.js';
export { type PrunerSettings, studyPruner } from '../src/experiment/study-pruner.js';
export { sayIdle } from '../src/experiment/say-idle.js';
export { trialLogs } from '../src/experiment/trial-logs.js';
export { trialText } from '../src/experiment/trial-text.js';
export { METRIC_TEXTS, type Metric } from '../src/tasks/segmentation/metrics/metric.js';
export {
  LABEL_METRIC_TEXTS,
  LABEL_METRICS,
  type LabelMetric,
} from '../src/tasks/classification/metrics/label-metrics.js';

// The page that shows runs and studies.
export { type DashboardOptions, dashboard } from '../src/dashboard/dashboard.js';
export { withDashboard } from '../src/dashboard/with-dashboard.js';
export { DASHBOARD_PORT, dashboardFlag } from '../src/experiment/dashboard-flag.js';

// A study of many trainings, a process each.
export { grid, gridFlags, gridTask, taskGridFlags, trainGrid } from '../src/experiment/grid.js';
export {
  adaptersFlag,
  comparedFlag,
  comparedFlags,
  comparedSettings,
  sizeFlags,
} from '../src/experiment/compared-adapters.js';
export { cellPlugins } from '../src/experiment/cell-plugins.js';
export { divergedCells, failIfCellsDiverged, openCell, type StudyCell } from '../src/experiment/cell.js';
export { type AblationOptions, type AblationRun, closeAblation } from '../src/experiment/ablation.js';
export { comparisonFlags } from '../src/experiment/comparison-flags.js';
export { domainArguments, inferenceArguments } from '../src/experiment/inference-arguments.js';
export { type PercentageReportOptions, percentageReport } from '../src/experiment/percentage-report.js';
export { childProcess } from '../operators/child-process.js';

// Files and folders that a recipe writes.
export { ownedFolder } from '../src/files/owned-folder.js';
export { openOutput } from '../src/files/open-output.js';
export { tryFolder } from '../src/files/try-folder.js';
export { writeFileAtomic } from '../src/files/atomic.js';
export { type RecordedPaths, recordPaths } from '../src/files/recorded-paths.js';
export { type DownloadOptions, download } from '../src/files/download.js';
export { type Push, pushTo } from '../src/files/hub/push-files.js';
export { percentLines, retryLines } from '../src/files/download-progress.js';
export { type TarFile, tarGzFiles } from '../src/files/tar.js';
export { type Cell, percentText, plainText, type Row } from '../src/files/tables.js';

// The embedded data set and backbone, as they are drawn and pretrained.
export { FAMILIES, type Family } from '../src/data/creatures/families.js';
export { creatureScene, type Scene } from '../src/data/creatures/scene.js';
export { STYLES, type Style } from '../src/data/creatures/styles.js';
export { trimap } from '../src/data/creatures/trimap.js';
export { PATCHES, patchBatch } from '../src/experiment/patch-batch.js';
export { PatchClassifier } from '../src/model/heads/patch-classifier.js';
