/** The network: its parameters by name, and its forward pass as a function of them. */
export { type ForwardOptions, forward } from "./forward.js";
export type { Init, ParameterEntry } from "./parameterEntries.js";
export { countParameters, initParameters, parameterTable } from "./parameters.js";
export { type ModelConfig, type ModelSpec, modelSpec } from "./spec.js";
export { toPlain, toTensors } from "./tensors.js";
export type { AttendedHeads, NetworkInputs, Params, PlainParams, Prediction } from "./types.js";
