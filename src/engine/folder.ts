/** Where `atmorep engine install` puts the libraries of the native engine. */
import { fileURLToPath } from "node:url";

/** Folder of the checkout that `atmorep engine install` fills. */
export const INSTALL_FOLDER = fileURLToPath(new URL("../../.engine", import.meta.url));
