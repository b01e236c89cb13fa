/** What this machine has to compute with, for those who look and install: `doctor` and `atmorep engine`. */
export { type Installed, type InstalledPart, type InstallOptions, installEngine } from "./install/index.js";
export { ONLY } from "./install/parts.js";
export { openKernelCompiler } from "./kernelCompiler.js";
export { findNative, nativeSearch, openNative } from "./native.js";
export { builtForGpu, type Device, EagerContext, loadNative, searchLibrary } from "./tensorflow/index.js";
