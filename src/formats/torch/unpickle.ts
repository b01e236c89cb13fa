/**
 * A small, safe unpickler for PyTorch state dicts. It builds plain values and tensor descriptions, never code:
 * only `torch._utils._rebuild_tensor_v2`, `collections.OrderedDict` and the `torch.*Storage` classes may be named,
 * BUILD may only set `_metadata`, and every other global or opcode is refused by name.
 * Opcodes: Python's `pickletools`.
 */
import { BUDGET } from "../../budgets.js";
import { AtmorepError } from "../../errors.js";
import type { TensorDtype } from "../tensors.js";
import { dtypeOfStorage } from "./storageTypes.js";

export interface StorageRef {
  kind: "storage";
  dtype: TensorDtype;
  key: string;
  /** elements */
  size: number;
}

export interface TensorRef {
  kind: "tensor";
  storage: StorageRef;
  /** elements */
  offset: number;
  shape: number[];
  stride: number[];
}

export interface PickledDict {
  kind: "dict";
  items: Map<PickledValue, PickledValue>;
  /** the `_metadata` attribute of a state dict */
  metadata?: PickledValue;
}

interface GlobalRef {
  kind: "global";
  name: string;
}

interface Mark {
  kind: "mark";
}

export type PickledValue =
  | string
  | number
  | boolean
  | null
  | PickledValue[]
  | PickledDict
  | StorageRef
  | TensorRef
  | GlobalRef;

const MARK: Mark = { kind: "mark" };
const ORDERED_DICT = "collections.OrderedDict";
const REBUILD_TENSOR = "torch._utils._rebuild_tensor_v2";
/** A state dict nests four deep; sizes and strides have at most this many dimensions in PyTorch. */
const MAX_DIMS = 64;

/**
 * Reads one pickle of protocol 2 to 5.
 * @param where named in errors
 * @throws AtmorepError (input) if the pickle is damaged or asks for anything but tensors
 */
export function unpickle(bytes: Uint8Array, where: string): PickledValue {
  return new Unpickler(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), where).run();
}

class Unpickler {
  private at = 0;
  private dicts = 0;
  private readonly stack: (PickledValue | Mark)[] = [];
  private readonly memo = new Map<number, PickledValue>();

  constructor(
    private readonly data: Buffer,
    private readonly where: string,
  ) {}

  run(): PickledValue {
    for (let steps = 0; ; steps++) {
      if (steps > BUDGET.pickleValues) throw this.fault(`the pickle makes more than ${BUDGET.pickleValues} values`);
      const code = this.data[this.take(1)];
      if (code === 0x2e) {
        const value = this.pop();
        if (this.stack.length > 0) throw this.fault("the pickle leaves values behind");
        return value;
      }
      this.step(code);
    }
  }

  private fault(what: string, found?: string): AtmorepError {
    return new AtmorepError("input", what, {
      where: this.where,
      found,
      fix: "The file is damaged, or is not a state dict of tensors saved by torch.save.",
    });
  }

  private refuse(name: string): AtmorepError {
    return new AtmorepError("input", `the pickle asks for ${name}, which is refused`, {
      where: this.where,
      expected: "a state dict of tensors only",
      fix: "Load it in PyTorch if you trust its source, and save its state dict alone.",
    });
  }

  private take(length: number): number {
    const start = this.at;
    if (length < 0 || start + length > this.data.length) throw this.fault("the pickle breaks off");
    this.at = start + length;
    return start;
  }

  private pop(): PickledValue {
    const value = this.stack.pop();
    if (value === undefined || value === MARK) throw this.fault("the pickle takes more values than it has");
    return value as PickledValue;
  }

  private popToMark(): PickledValue[] {
    const at = this.stack.lastIndexOf(MARK);
    if (at < 0) throw this.fault("the pickle has no mark");
    const values = this.stack.splice(at) as PickledValue[];
    values.shift();
    return values;
  }

  private top(): PickledValue | Mark | undefined {
    return this.stack[this.stack.length - 1];
  }

  private text(length: number): string {
    if (length > BUDGET.pickleText) throw this.fault("a text in the pickle is longer than any name", `${length} bytes`);
    const start = this.take(length);
    return this.data.toString("utf8", start, start + length);
  }

  private line(): string {
    const end = this.data.indexOf(0x0a, this.at);
    if (end < 0) throw this.fault("the pickle breaks off");
    if (end - this.at > BUDGET.pickleText) throw this.fault("a text in the pickle is longer than any name");
    const text = this.data.toString("utf8", this.at, end);
    this.at = end + 1;
    return text;
  }

  private remember(index: number): void {
    const value = this.top();
    if (value === undefined || value === MARK) throw this.fault("the pickle remembers nothing");
    this.memo.set(index, value as PickledValue);
  }

  private recall(index: number): PickledValue {
    const value = this.memo.get(index);
    if (value === undefined) throw this.fault("the pickle recalls a value that it never had");
    return value;
  }

  private step(code: number): void {
    const { data, stack } = this;
    switch (code) {
      case 0x80: {
        const protocol = data[this.take(1)];
        if (protocol < 2 || protocol > 5) throw this.fault("unknown pickle protocol", String(protocol));
        return;
      }
      case 0x95: // FRAME
        this.take(8);
        return;
      case 0x28:
        stack.push(MARK);
        return;
      case 0x4e:
        stack.push(null);
        return;
      case 0x88:
      case 0x89:
        stack.push(code === 0x88);
        return;
      case 0x4a:
        stack.push(data.readInt32LE(this.take(4)));
        return;
      case 0x4b:
        stack.push(data[this.take(1)]);
        return;
      case 0x4d:
        stack.push(data.readUInt16LE(this.take(2)));
        return;
      case 0x8a:
        stack.push(this.long(data[this.take(1)]));
        return;
      case 0x47:
        stack.push(data.readDoubleBE(this.take(8)));
        return;
      case 0x58:
        stack.push(this.text(data.readUInt32LE(this.take(4))));
        return;
      case 0x8c:
        stack.push(this.text(data[this.take(1)]));
        return;
      case 0x5d:
      case 0x29:
        stack.push([]);
        return;
      case 0x7d:
        stack.push(this.dict());
        return;
      case 0x85:
        stack.push([this.pop()]);
        return;
      case 0x86:
      case 0x87: {
        const last = this.pop();
        const second = this.pop();
        stack.push(code === 0x86 ? [second, last] : [this.pop(), second, last]);
        return;
      }
      case 0x74:
        stack.push(this.popToMark());
        return;
      case 0x61:
        this.append([this.pop()]);
        return;
      case 0x65:
        this.append(this.popToMark());
        return;
      case 0x73: {
        const value = this.pop();
        this.setItems([this.pop(), value]);
        return;
      }
      case 0x75:
        this.setItems(this.popToMark());
        return;
      case 0x71:
        this.remember(data[this.take(1)]);
        return;
      case 0x72:
        this.remember(data.readUInt32LE(this.take(4)));
        return;
      case 0x94:
        this.remember(this.memo.size);
        return;
      case 0x68:
        stack.push(this.recall(data[this.take(1)]));
        return;
      case 0x6a:
        stack.push(this.recall(data.readUInt32LE(this.take(4))));
        return;
      case 0x63: {
        const module = this.line();
        stack.push(this.global(`${module}.${this.line()}`));
        return;
      }
      case 0x93: {
        const name = this.pop();
        const module = this.pop();
        // What is no text may be a list that holds itself twice, forty times over: it is not written out.
        if (typeof module !== "string" || typeof name !== "string") throw this.fault("a global has no name");
        stack.push(this.global(`${module}.${name}`));
        return;
      }
      case 0x51:
        stack.push(this.storage(this.pop()));
        return;
      case 0x52: {
        const args = this.pop();
        stack.push(this.call(this.pop(), args));
        return;
      }
      case 0x62: {
        const state = this.pop();
        this.build(state);
        return;
      }
      default:
        throw this.refuse(`the pickle operation 0x${code.toString(16).padStart(2, "0")}`);
    }
  }

  private long(length: number): number {
    if (length > 8) throw this.fault("a number is too large");
    const start = this.take(length);
    let value = 0n;
    for (let i = 0; i < length; i++) value |= BigInt(this.data[start + i]) << BigInt(8 * i);
    return Number(BigInt.asIntN(Math.max(8 * length, 1), value));
  }

  private dict(): PickledDict {
    if (++this.dicts > BUDGET.pickleDicts) throw this.fault(`the pickle makes more than ${BUDGET.pickleDicts} dicts`);
    return { kind: "dict", items: new Map() };
  }

  private append(values: PickledValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.fault("the pickle appends to what is not a list");
    for (const value of values) list.push(value);
  }

  private setItems(values: PickledValue[]): void {
    const target = this.top();
    if (!isDict(target) || values.length % 2 !== 0) throw this.fault("the pickle sets items of what is not a dict");
    for (let i = 0; i < values.length; i += 2) target.items.set(values[i], values[i + 1]);
  }

  private global(name: string): GlobalRef {
    const isStorage = name.startsWith("torch.") && dtypeOfStorage(name.slice(6)) !== undefined;
    if (name !== ORDERED_DICT && name !== REBUILD_TENSOR && !isStorage) throw this.refuse(name);
    return { kind: "global", name };
  }

  private storage(id: PickledValue): StorageRef {
    const [tag, type, key, , size] = Array.isArray(id) ? id : [];
    const name = isKind(type, "global") ? (type as GlobalRef).name : "";
    const dtype = dtypeOfStorage(name.slice("torch.".length));
    if (tag !== "storage" || !dtype || typeof key !== "string" || !isCount(size)) {
      throw this.fault("the pickle has a persistent id that is not a storage");
    }
    return { kind: "storage", dtype, key, size };
  }

  private call(callee: PickledValue, args: PickledValue): PickledValue {
    const name = isKind(callee, "global") ? (callee as GlobalRef).name : "";
    if (name === ORDERED_DICT && Array.isArray(args) && args.length === 0) return this.dict();
    if (name === REBUILD_TENSOR && Array.isArray(args)) return this.tensor(args);
    throw this.refuse(name ? `a call of ${name} with other arguments than PyTorch gives` : "a call of a value");
  }

  private tensor([storage, offset, shape, stride]: PickledValue[]): TensorRef {
    if (!isKind(storage, "storage") || !isCount(offset) || !isCounts(shape) || !isCounts(stride)) {
      throw this.fault("a tensor has no valid storage, offset, shape or stride");
    }
    if (shape.length !== stride.length) throw this.fault("a tensor's stride does not fit");
    return { kind: "tensor", storage: storage as StorageRef, offset, shape, stride };
  }

  private build(state: PickledValue): void {
    const target = this.top();
    if (!isDict(target) || !isDict(state)) throw this.refuse("an attribute of a value that is not a state dict");
    for (const [key, value] of state.items) {
      if (key !== "_metadata") throw this.refuse(typeof key === "string" ? `the attribute "${key}"` : "an attribute");
      target.metadata = value;
    }
  }
}

function isKind(value: unknown, kind: string): boolean {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === kind;
}

/** True for a dict. */
export function isDict(value: unknown): value is PickledDict {
  return isKind(value, "dict");
}

/** True for a tensor's description. */
export function isTensor(value: unknown): value is TensorRef {
  return isKind(value, "tensor");
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= MAX_DIMS && value.every(isCount);
}
