/** Golden kind `resample`: `out.AxB.small` from `in.x` [n, tt, ty, tx], and `out.AxB.back` from that. */
import { AtmorepError } from "../../errors.js";
import { toFloat32 } from "../../formats/safetensors.js";
import { resample } from "../../masking/index.js";
import { compare } from "../compare.js";
import type { Comparison, KindRunner } from "../types.js";

const TOLERANCE = { atol: 1e-6, rtol: 1e-5 };

export const runner: KindRunner = async ({ name, tensors }) => {
  const input = tensors.get("in.x");
  if (!input) throw new AtmorepError("input", "the case lacks a tensor", { where: name, expected: "in.x" });
  const [ty, tx] = input.shape.slice(-2);
  const comparisons: Comparison[] = [];
  for (const [tensor, expected] of tensors) {
    const match = /^out\.(\d+)x(\d+)\.(small|back)$/.exec(tensor);
    if (!match) continue;
    const size = [Number(match[1]), Number(match[2])] as const;
    const small = resample(toFloat32(input), [ty, tx], size);
    const ours = match[3] === "small" ? small : resample(small, size, [ty, tx]);
    comparisons.push(compare(tensor, ours, toFloat32(expected), TOLERANCE));
  }
  return comparisons;
};
