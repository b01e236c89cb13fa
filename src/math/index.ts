/**
 * Elementary functions with the same bits on every platform: built only from IEEE 754 `+ - * / sqrt` and bit moves,
 * since `Math.sin`, `Math.exp`, `Math.pow` and the like differ between engines in their last bits.
 */
export { erf, erfc, gelu, normalCdf, normalPdf } from "./erf.js";
export { exp, expm1 } from "./exp.js";
export { log, log1p } from "./log.js";
export { pow } from "./pow.js";
export { tanh } from "./tanh.js";
export { cos, sin } from "./trig.js";
