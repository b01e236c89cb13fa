/** Where `atmorep engine install` puts native libraries. */
import { fileURLToPath } from "node:url";

/** Folder of the checkout that `atmorep engine install` fills: a folder below it for each library. */
export const INSTALL_FOLDER = fileURLToPath(new URL("../../.engine", import.meta.url));
