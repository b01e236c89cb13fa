/** Golden folders: what the original computed, compared with what this program computes. */
export { listCases, readCase } from "./case.js";
export { compare, compareJson, TOLERANCES, type Tolerance } from "./compare.js";
export { KINDS, type Kind } from "./kinds.js";
export { type CaseResult, caseKind, formatResult, globToRegExp, selectCases, verifyCase } from "./run.js";
export type { Comparison, GoldenCase, KindRunner, VerifyOptions } from "./types.js";
