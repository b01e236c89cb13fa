/** The public API: the one door for notebooks and programs. */
export { AtmorepError, isAtmorepError } from "./errors.js";
