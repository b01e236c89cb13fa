/**
 * Native libraries through koffi: finding, loading, and the few calls that are used of each. Nothing else of the project
 * but errors and formats is imported here.
 */
export { BLOSC, type NativeBlosc, type NativeDecoder, openBlosc, searchBlosc } from "./blosc.js";
export { type FindOptions, type FoundLibrary, findLibraries, type LibraryKind, type LibrarySearch } from "./find.js";
export { INSTALL_FOLDER } from "./folder.js";
