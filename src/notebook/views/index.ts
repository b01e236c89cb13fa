/** Every figure as a pure function from plain data to a description. */
export { type AttentionMatrix, attentionFigure } from "./attention.js";
export { type AttentionPlaces, attentionPlacesFigure } from "./attentionPlaces.js";
export {
  type CalibrationChoice,
  calibrationRanksFigure,
  chosenCalibration,
  reliabilityFigure,
  spreadErrorFigure,
} from "./calibration.js";
export { type Points, rankFigure, type SpreadSkillBin, spreadSkillBins, spreadSkillFigure } from "./ensemble.js";
export { groupByPart, type Histogram, histogram, histogramFigure } from "./histograms.js";
export { intervalsFigure } from "./intervals.js";
export { type LinesOptions, type LinesPanel, linesFigure } from "./lines.js";
export {
  type MapOptions,
  mapFigure,
  mapPanel,
  membersFigure,
  multiplesFigure,
  type PredictionGrids,
  predictionFigure,
  sliderFigure,
} from "./maps.js";
export { maskSummaryFigure } from "./maskSummary.js";
export { type MaskEntry, masksFigure, tokenKinds } from "./masks.js";
export { comparisonSummary, comparisonTitle, scoreCardFigure, shownComparisons } from "./scoreCard.js";
export { leadFigure, rankSharesFigure, type ScoreChoice, scoredSpectra, sharesFigure } from "./scores.js";
export { powerFigure, spectraFigure } from "./spectra.js";
export { type TimelineRow, timelineFigure, timelineRows } from "./timeline.js";
export { tokenGridFigure } from "./tokens.js";
export {
  comparisonFigure,
  learningRateFigure,
  learningRateRunFigure,
  type RunPart,
  ratePoints,
  type TrainingView,
  trainingFigure,
} from "./training.js";
export { windowSpectrumFigure } from "./windowSpectra.js";
