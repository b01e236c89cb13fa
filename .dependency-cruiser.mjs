/** What may import what: the rules of docs/architecture.md, held by `npm run lint`, and the order of the rooms for their picture. */

/** The rooms of src, lowest first: a room imports rooms that stand before it and no other. */
export const ROOMS = [
  ["shown.ts"],
  ["errors.ts"],
  ["parts.ts"],
  ["budgets.ts"],
  ["math"],
  ["random"],
  ["native"],
  ["formats"],
  ["config"],
  ["engine"],
  ["data", "distributed"],
  ["masking", "model"],
  ["losses", "scores"],
  ["batches"],
  ["step"],
  ["runs"],
  ["results"],
  ["trackers"],
  ["checks"],
  ["prediction"],
  ["training"],
  ["evaluation"],
  ["verify", "doctor", "bench"],
  ["notebook"],
  ["api"],
  ["index.ts"],
  ["kernel"],
  ["cli"],
];

/** These import nothing else of the project, errors.ts neither: each could leave as a package of its own. */
const ALONE = ["kernel", "engine/tensorflow", "engine/llvm"];

/** What the rest of src sees of the engine; everything else in src/engine is its own affair. */
const ENGINE_DOORS = [
  ...["index.ts", "engine.ts", "kernels/index.ts"],
  // what the page of the interface speaks of: trees and states of tensors, AdamW, profiles, calls, garbage
  ...["tree.ts", "state.ts", "adamw.ts", "profile.ts", "callOnce.ts", "garbage.ts"],
  // for doctor and `atmorep engine`
  "machine.ts",
];

/** The rooms on plain arrays, which a notebook or a worker thread uses without TensorFlow.js. */
const PLAIN = ["config", "random", "math", "formats", "data", "masking", "scores"];

/** The rooms that call libraries in machine code; decoders of data would stand in native/. */
const LIBRARIES = ["native", "distributed", "engine"];

const room = (name) => (name.endsWith(".ts") ? `^src/${name.replace(".", ".")}$` : `^src/${name}/`);
const anyOf = (names) => names.map(room).join("|");

/** Nothing below imports what stands beside or above it. */
const oneWay = ROOMS.flatMap((names, rank) =>
  names.map((name) => ({
    name: `one-way-${name.replace(".ts", "")}`,
    comment: `Rooms import rooms that stand lower in the list of .dependency-cruiser.mjs; ${name} stands below this one or beside it.`,
    severity: "error",
    from: { path: room(name) },
    to: { path: anyOf([...names.filter((other) => other !== name), ...ROOMS.slice(rank + 1).flat()]) },
  })),
).filter(({ to }) => to.path !== "");

export default {
  forbidden: [
    ...oneWay,
    {
      name: "no-cycles",
      comment: "Files that import each other can only be read together; imports of types count too.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "room-of-the-list",
      comment:
        "Every file of src stands in a room of the list in .dependency-cruiser.mjs, so that the rules hold for it.",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^src/", pathNot: anyOf(ROOMS.flat()) },
    },
    ...ALONE.map((name) => ({
      name: `alone-${name.replace("/", "-")}`,
      comment: "This room could leave as a package of its own: it imports nothing else of the project.",
      severity: "error",
      from: { path: room(name) },
      to: { path: "^src/", pathNot: room(name) },
    })),
    {
      name: "engine-doors",
      comment: `Outside src/engine only its doors are imported: ${ENGINE_DOORS.join(", ")}.`,
      severity: "error",
      from: { path: "^src/", pathNot: room("engine") },
      to: { path: room("engine"), pathNot: anyOf(ENGINE_DOORS.map((file) => `engine/${file}`)) },
    },
    {
      name: "plain-arrays",
      comment: "This room works on plain arrays: TensorFlow.js begins at the network.",
      severity: "error",
      from: { path: anyOf(PLAIN) },
      to: { path: "(^|/)@tensorflow/" },
    },
    {
      name: "libraries",
      comment: `Libraries in machine code are called from ${LIBRARIES.join(", ")} alone.`,
      severity: "error",
      from: { path: "^src/", pathNot: anyOf(LIBRARIES) },
      to: { path: "(^|/)koffi(/|$)" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
  },
};
