/** Functions of tensors as single calls into TensorFlow. */
export { type AdamwSettings, type CompiledUpdate, compileAdamw } from "./adamw.js";
export { callOnce } from "./call.js";
export { type CompiledFunction, compileFunction } from "./function.js";
export { ownCopy, updateInPlace } from "./inPlace.js";
export { type Signature, trace } from "./recorder.js";
export { createVariables, type Variables } from "./variables.js";
