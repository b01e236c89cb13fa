/** `atmorep.scores`: metrics of your own, by point. The scores themselves are in `atmorep/scores`. */
export { type Metric, type MetricPoint, metricNames as names, registerMetric as register } from "../scores/metrics.js";
