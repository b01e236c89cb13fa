/** Several processes that train one model. */
export { ownNodes, type Span, sumNode } from "./batchTree.js";
export { ALONE, type Communicator, isShared, markShared } from "./communicator.js";
export { type Launch, launchOf, unusedTasks } from "./launcher.js";
export { mpiLibraries } from "./mpi.js";
export { openCommunicator } from "./open.js";
export { equalParts, grown } from "./treeSum.js";
