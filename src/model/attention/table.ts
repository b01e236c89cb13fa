/** The table of attention kinds: each name of `config/attention.ts` with its blocks. */
import type { AttentionType } from "../../config/attention.js";
import { axial } from "./axial.js";
import { dense } from "./dense.js";
import type { AttentionKind } from "./kind.js";

export const ATTENTION: Readonly<Record<AttentionType, AttentionKind>> = {
  dense,
  axial: axial({ parallel: false }),
  axial_parallel: axial({ parallel: true }),
};
