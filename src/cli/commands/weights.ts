/** `atmorep weights info FILE`, `weights convert IN OUT` */
import type { Command } from "commander";
import { DTYPE_SIZE, numElements, type TensorFile } from "../../formats/tensors.js";
import { convertWeights, openWeights } from "../../formats/weights.js";
import { canonicalName } from "../../model/names.js";
import { provenanceBeside } from "../../runs/provenance.js";
import { formatTable, note, print, printJson, withExamples } from "../output.js";

interface Flags {
  json?: boolean;
}

export function registerWeights(program: Command): void {
  const weights = program.command("weights").description("describe and convert weights files");
  withExamples(weights, [
    "weights info models/idab12cd34/AtmoRep_idab12cd34.mod",
    "weights convert AtmoRep_idab12cd34.mod weights.safetensors",
  ]);
  const info = weights
    .command("info")
    .description("names, shapes and dtypes; reads no tensor")
    .argument("<file>", ".mod, .pt or .safetensors")
    .option("--json", "print one JSON document")
    .action(infoAction);
  withExamples(info, ["weights info AtmoRep_idab12cd34.mod", "weights info weights.safetensors --json"]);
  const convert = weights
    .command("convert")
    .description("convert between PyTorch (.mod) and safetensors, bit for bit")
    .argument("<in>", "weights file")
    .argument("<out>", "file to write; its ending says the format; an existing file is replaced")
    .option("--json", "print one JSON document")
    .action(convertAction);
  withExamples(convert, [
    "weights convert AtmoRep_idab12cd34.mod weights.safetensors",
    "weights convert weights.safetensors AtmoRep_idab12cd34.mod",
  ]);
}

async function infoAction(path: string, { json }: Flags): Promise<void> {
  const file = await openWeights(path);
  await file.close();
  const { format, tensors } = file;
  const summary = summarize(file);
  if (json) {
    printJson({ file: path, format, ...summary, tensors: tensors.map((t) => ({ ...t, aliasOf: t.aliasOf ?? null })) });
    return;
  }
  const rows = tensors.map(({ name, dtype, shape, aliasOf }) => [
    name,
    dtype,
    `[${shape.join(", ")}]`,
    aliasOf === undefined ? "" : `same storage as ${aliasOf}`,
  ]);
  for (const line of formatTable(rows)) print(line);
  print();
  const kind = format === "torch" ? "PyTorch state dict" : "safetensors";
  const { names, parameters, bytes, dtypes } = summary;
  print(`${path}: ${kind}, ${names} names, ${thousands(parameters)} values (${dtypes.join(", ")}), ${size(bytes)}`);
}

/** Shared storages count once. */
function summarize({ tensors }: TensorFile) {
  const own = tensors.filter(({ aliasOf }) => aliasOf === undefined);
  const sum = (of: (tensor: (typeof own)[number]) => number) => own.reduce((total, tensor) => total + of(tensor), 0);
  return {
    names: tensors.length,
    parameters: sum(({ shape }) => numElements(shape)),
    bytes: sum(({ shape, dtype }) => numElements(shape) * DTYPE_SIZE[dtype]),
    dtypes: [...new Set(tensors.map(({ dtype }) => dtype))].sort(),
  };
}

async function convertAction(input: string, output: string, { json }: Flags): Promise<void> {
  const provenance = await provenanceBeside(input);
  const tensors = await convertWeights(input, output, canonicalName, provenance === null ? {} : { provenance });
  if (json) printJson({ input, output, tensors });
  else note(`${output}: ${tensors} tensors`);
}

const thousands = (n: number) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

function size(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
