/**
 * Writing a state dict's pickle, protocol 2, with the same opcodes and memo that CPython's pickler gives for
 * `torch.save(module.state_dict())`.
 */
import type { TensorInfo } from "../tensors.js";
import { storageOfDtype } from "./storageTypes.js";

/** CPython writes the items of a dict in groups of this many. */
const GROUP = 1000;

export interface PickledTensor extends TensorInfo {
  storageKey: string;
  /** elements of the storage */
  storageSize: number;
}

/** The bytes of `data.pkl`. */
export function pickleStateDict(tensors: readonly PickledTensor[], moduleVersions: Map<string, number>): Uint8Array {
  const out = new Pickler();
  out.byte(0x80, 2);
  out.orderedDict();
  out.items(tensors, (tensor) => {
    out.newText(tensor.name);
    writeTensor(out, tensor);
  });
  out.byte(0x7d);
  out.put();
  out.newText("_metadata");
  out.orderedDict();
  out.items([...moduleVersions], ([module, version]) => {
    // CPython memoises by identity: module paths are strings of their own, though some read like storage keys.
    out.newText(module);
    out.byte(0x7d);
    out.put();
    out.shared("version", () => out.newText("version"));
    out.integer(version);
    out.byte(0x73);
  });
  out.byte(0x73, 0x62, 0x2e);
  return out.bytes();
}

function writeTensor(out: Pickler, { dtype, shape, storageKey, storageSize }: PickledTensor): void {
  out.global("torch._utils", "_rebuild_tensor_v2");
  out.byte(0x28, 0x28);
  out.shared("storage", () => out.newText("storage"));
  out.global("torch", storageOfDtype(dtype));
  out.shared(`key ${storageKey}`, () => out.newText(storageKey));
  out.shared("cpu", () => out.newText("cpu"));
  out.integer(storageSize);
  out.byte(0x74);
  out.put();
  out.byte(0x51);
  out.integer(0);
  out.tuple(shape);
  out.tuple(contiguousStride(shape));
  out.byte(0x89);
  out.orderedDict();
  out.byte(0x74);
  out.put();
  out.byte(0x52);
  out.put();
}

/** PyTorch gives dimensions of size 0 the stride of size 1. */
function contiguousStride(shape: readonly number[]): number[] {
  const stride = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    stride[i] = step;
    step *= Math.max(shape[i], 1);
  }
  return stride;
}

class Pickler {
  private readonly pieces: Buffer[] = [];
  private readonly memo = new Map<string, number>();
  private memoSize = 0;

  bytes(): Uint8Array {
    return Buffer.concat(this.pieces);
  }

  byte(...values: number[]): void {
    this.pieces.push(Buffer.from(values));
  }

  private unsigned(opcode: number, value: number): void {
    const piece = Buffer.alloc(5);
    piece[0] = opcode;
    piece.writeUInt32LE(value, 1);
    this.pieces.push(piece);
  }

  /** Remembers the value just written. */
  put(): void {
    const index = this.memoSize++;
    if (index < 256) this.byte(0x71, index);
    else this.unsigned(0x72, index);
  }

  /** Writes a value once under `id` and recalls it afterwards; `write` must remember exactly one value, last. */
  shared(id: string, write: () => void): void {
    const index = this.memo.get(id);
    if (index === undefined) {
      write();
      this.memo.set(id, this.memoSize - 1);
    } else if (index < 256) this.byte(0x68, index);
    else this.unsigned(0x6a, index);
  }

  newText(text: string): void {
    const utf8 = Buffer.from(text, "utf8");
    this.unsigned(0x58, utf8.length);
    this.pieces.push(utf8);
    this.put();
  }

  global(module: string, name: string): void {
    this.shared(`global ${module} ${name}`, () => {
      this.pieces.push(Buffer.from(`c${module}\n${name}\n`, "latin1"));
      this.put();
    });
  }

  orderedDict(): void {
    this.global("collections", "OrderedDict");
    this.byte(0x29, 0x52);
    this.put();
  }

  integer(value: number): void {
    if (value < 0x100) this.byte(0x4b, value);
    else if (value < 0x10000) this.byte(0x4d, value & 0xff, value >> 8);
    else if (value < 0x80000000) this.unsigned(0x4a, value);
    else {
      const digits: number[] = [];
      for (let rest = BigInt(value); rest > 0n; rest >>= 8n) digits.push(Number(rest & 0xffn));
      if (digits[digits.length - 1] >= 0x80) digits.push(0);
      this.byte(0x8a, digits.length, ...digits);
    }
  }

  tuple(values: readonly number[]): void {
    if (values.length === 0) {
      this.byte(0x29);
      return;
    }
    if (values.length > 3) this.byte(0x28);
    for (const value of values) this.integer(value);
    this.byte(values.length > 3 ? 0x74 : 0x84 + values.length);
    this.put();
  }

  items<T>(values: readonly T[], write: (value: T) => void): void {
    for (let start = 0; start < values.length; start += GROUP) {
      const group = values.slice(start, start + GROUP);
      if (group.length > 1) this.byte(0x28);
      for (const value of group) write(value);
      this.byte(group.length > 1 ? 0x75 : 0x73);
    }
  }
}
