/**
 * Native libraries through koffi: finding, loading, and the few calls that are used of each; and files that say who is at
 * work. Nothing else of the project but errors is imported here.
 */
export { BLOSC, type NativeBlosc, type NativeDecoder, openBlosc, searchBlosc } from "./blosc.js";
export { ECCODES, findEccodes, type UnpackedMessage } from "./eccodes.js";
export { type EccodesProcess, startEccodes } from "./eccodesProcess.js";
export { type FileLock, type Holder, lockFile } from "./fileLock.js";
export { type FindOptions, type FoundLibrary, findLibraries, type LibraryKind, type LibrarySearch } from "./find.js";
export { INSTALL_FOLDER } from "./folder.js";
export { frameFault } from "./gribFrame.js";
export { createWhole, type Lock, sweepAsides, takeLock } from "./heartbeat.js";
