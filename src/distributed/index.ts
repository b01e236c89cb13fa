/** Several processes that train one model. */
export { ALONE, type Communicator } from "./communicator.js";
export { type Launch, launchOf } from "./launcher.js";
export { openCommunicator } from "./open.js";
