/** Where `atmorep engine install` puts the libraries of the native engine. */
export { INSTALL_FOLDER } from "../native/folder.js";
