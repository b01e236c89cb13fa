/** Functions of tensors as single calls into TensorFlow. */
import type { Engine } from "../engine.js";
import type { Tensorflow } from "../tensorflow/index.js";
import { prepareCompiled } from "./prepare.js";
import { profileCompiled } from "./profile.js";
import { compiledUpdate } from "./update.js";

export { type CompiledFunction, compileFunction } from "./function.js";
export { ownCopy, updateInPlace } from "./inPlace.js";
export { profileCompiled } from "./profile.js";
export { type Signature, trace } from "./recorder.js";

/** The answers of an engine on TensorFlow that compiles. */
export const compiling = (native: Tensorflow): Pick<Engine, "compiles" | "prepare" | "update" | "profile"> => ({
  compiles: true,
  prepare: (label, fn, options) => prepareCompiled(native, label, fn, options),
  update: (state, gradients, settings) => compiledUpdate(native, state, gradients, settings),
  profile: (label, work) => profileCompiled(native, label, work),
});
