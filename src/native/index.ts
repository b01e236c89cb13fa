/**
 * Native libraries through koffi: finding, loading, and the few calls that are used of each. Nothing else of the project
 * but errors and formats is imported here.
 */
export { BLOSC, type NativeBlosc, type NativeDecoder, openBlosc, searchBlosc } from "./blosc.js";
export { ECCODES, findEccodes, type UnpackedMessage } from "./eccodes.js";
export { type EccodesProcess, startEccodes } from "./eccodesProcess.js";
export { type FindOptions, type FoundLibrary, findLibraries, type LibraryKind, type LibrarySearch } from "./find.js";
export { INSTALL_FOLDER } from "./folder.js";
export { frameFault } from "./gribFrame.js";
