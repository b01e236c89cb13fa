/** Our weight files in PyTorch, and PyTorch's in ours. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseFields, predictedFields } from "../../src/config/fields.js";
import type { RunConfig } from "../../src/config/types.js";
import { toNumbers } from "../../src/formats/tensors.js";
import { openTorch } from "../../src/formats/torch/reader.js";
import { convertWeights } from "../../src/formats/weights.js";
import { canonicalName } from "../../src/model/names.js";
import { initParameters } from "../../src/model/parameters.js";
import { modelSpec } from "../../src/model/spec.js";
import { stateDict } from "../../src/runs/stateDict.js";
import { writeWeightFiles } from "../../src/runs/weightFiles.js";
import { GOLDEN_DIR } from "../support/golden.js";
import { tempDir } from "../support/tempDir.js";
import { python } from "./python.js";

const RUN = join(GOLDEN_DIR, "run_bert");
const CONFIG = JSON.parse(readFileSync(join(RUN, "manifest.json"), "utf8")).config as RunConfig;
const PARAMS = initParameters(modelSpec(CONFIG), 5);

const LOAD = `
import sys, json, torch
d = torch.load(sys.argv[1], weights_only=True)
print(json.dumps({
  "type": type(d).__name__,
  "tensors": [[k, list(v.shape), v.numpy().tobytes().hex()] for k, v in d.items()],
  "shared": [k for k in d if k.startswith("encoders.") and ".embed." in k
             and d[k].data_ptr() == d["embeds." + k.split(".")[1] + "." + k.split(".")[3]].data_ptr()],
  "modules": len(d._metadata),
}))`;

describe("torch.load(weights_only=True)", () => {
  test("gives our tensors, in order, with shared storages", async () => {
    const dir = tempDir();
    const names = { fields: parseFields(CONFIG), predicted: predictedFields(CONFIG) };
    const path = await writeWeightFiles(dir, "abcd0123", "latest", PARAMS, names);
    const expected = await Promise.all(
      stateDict(PARAMS).map(async ({ name, shape, read }) => [name, shape, Buffer.from(await read()).toString("hex")]),
    );
    expect(python(LOAD, path)).toMatchObject({
      type: "OrderedDict",
      tensors: expected,
      shared: ["encoders.0.embed.weight", "encoders.0.embed.bias", "encoders.1.embed.weight", "encoders.1.embed.bias"],
    });
    const part = python(LOAD.replace(/"shared".*\n.*\n/, ""), join(dir, "AtmoRep_tail_temperature_idabcd0123.mod"));
    const tail = expected.filter(([name]) => String(name).startsWith("tails.1."));
    expect(part).toMatchObject({
      tensors: tail.map(([name, ...rest]) => [String(name).slice("tails.1.".length), ...rest]),
    });
  });

  test("converted to safetensors and back, the original's file is the same to PyTorch", async () => {
    const dir = tempDir();
    const original = join(RUN, "models", "idabcd0865", "AtmoRep_idabcd0865.mod");
    await convertWeights(original, join(dir, "w.safetensors"));
    await convertWeights(join(dir, "w.safetensors"), join(dir, "w.mod"), canonicalName);
    expect(python(LOAD, join(dir, "w.mod"))).toEqual(python(LOAD, original));
  });
});

test("PyTorch's strides, offsets, shared storages and dtypes are read", async () => {
  const path = join(tempDir(), "t.pt");
  const expected = python(
    `
import sys, json, torch
base = torch.arange(24.).reshape(2, 3, 4)
d = {"base": base, "transposed": base.permute(2, 0, 1), "slice": base[:, 1:, ::2], "same": base, "row": base[1, 2],
     "expanded": torch.tensor([7.]).expand(3, 2), "empty": torch.zeros(0, 3), "scalar": torch.tensor(2.5)}
for t in (torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool):
    d[str(t)] = torch.tensor([1, 0, 3]).to(t)
torch.save(d, sys.argv[1])
print(json.dumps([[k, list(v.shape), v.double().flatten().tolist()] for k, v in d.items()]))`,
    path,
  );
  const file = await openTorch(path);
  const actual = [];
  for (const { name } of file.tensors) {
    const tensor = await file.read(name);
    actual.push([name, tensor.shape, Array.from(toNumbers(tensor))]);
  }
  expect(actual).toEqual(expected);
  expect(file.tensors.find(({ name }) => name === "same")?.aliasOf).toBe("base");
  await file.close();
});

test.each([
  ["a function", "import os; d = os.system", "posix.system, which is refused"],
  ["a whole module", "d = torch.nn.Linear(2, 2)", "torch.nn.modules.linear.Linear, which is refused"],
  ["a number among the tensors", "d = {'epoch': 3}", "entry epoch of the state dict is not a tensor"],
  ["a legacy file", "legacy = True; d = {'a': torch.zeros(2)}", "not a zip archive"],
])("%s is refused", async (_, script, message) => {
  const path = join(tempDir(), "t.pt");
  const save = "torch.save(d, sys.argv[1], _use_new_zipfile_serialization=not globals().get('legacy', False))";
  python(`import sys, torch\n${script}\n${save}\nprint(0)`, path);
  await expect(openTorch(path)).rejects.toThrow(message);
});
