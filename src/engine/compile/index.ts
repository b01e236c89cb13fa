/** Functions of tensors as single calls into TensorFlow. */

import { eager } from "../eager/index.js";
import type { Engine } from "../engine.js";
import { jitKernels } from "../jit/register.js";
import type { Tensorflow } from "../tensorflow/index.js";
import { copyIn, copyOut, squares } from "./inMemory.js";
import { prepareCompiled } from "./prepare.js";
import { profileCompiled } from "./profile.js";
import { compiledUpdate } from "./update.js";

export { type CompiledFunction, compileFunction } from "./function.js";
export { ownCopy, updateInPlace } from "./inPlace.js";
export { profileCompiled } from "./profile.js";
export { type Signature, trace } from "./recorder.js";

const onProcessor = ({ context }: Tensorflow): boolean => context.device.type === "CPU";

/** The answers of an engine on TensorFlow that compiles. */
export const compiling = (
  native: Tensorflow,
): Pick<Engine, "compiles" | "prepare" | "update" | "copyOut" | "copyIn" | "squares" | "profile"> => ({
  compiles: true,
  prepare: (label, fn, options) => prepareCompiled(native, label, fn, options),
  update: (state, gradients, settings) => compiledUpdate(native, state, gradients, settings),
  // on a GPU elements lie where no copy of ours goes
  copyOut: async (tensors, to) => (onProcessor(native) ? copyOut(native, tensors, to) : eager.copyOut(tensors, to)),
  copyIn: async (tensors, from) => (onProcessor(native) ? copyIn(native, tensors, from) : eager.copyIn(tensors, from)),
  squares: async (gradients) => {
    const kernels = jitKernels(native);
    return kernels ? squares(native, kernels, gradients) : eager.squares(gradients);
  },
  profile: (label, work) => profileCompiled(native, label, work),
});
