/** TensorFlow's eager runtime: one context with its devices, tensors and functions. */
import { ATTRIBUTE_KINDS, type Attribute, setAttribute } from "./attributes.js";
import { configProto } from "./definitions.js";
import { TensorflowError } from "./errors.js";
import { Addresses, type Native, takeBuffer } from "./native.js";
import { type HostValues, newTensor, readTensor, readTensorAsync, releaseStrings, TYPES } from "./values.js";

/** A tensor of the runtime, as tfjs-node's kernels know it. */
export interface TensorMetadata {
  id: number;
  shape: number[];
  dtype: number;
}

export interface Device {
  /** `CPU`, `GPU`, ... */
  type: string;
  name: string;
}

interface Entry {
  handle: number;
  shape: number[];
  dtype: number;
  /** strings hold memory of their own, which the one who made them frees */
  ownsStrings: boolean;
}

/** Elements from which a read is worth a thread. */
const LARGE = 1 << 16;
/** Inputs named in a message. */
const DESCRIBED = 8;
const TYPE_NAMES = new Map<number, string>(Object.entries(TYPES).map(([name, type]) => [type, name]));

/** Owns the context and every tensor; `close` releases them. */
export class EagerContext {
  readonly devices: Device[];
  /** where operations run if they can */
  readonly device: Device;
  private readonly context: number;
  private readonly tensors = new Map<number, Entry>();
  private outputs = new Addresses(64);
  private readonly count = new Int32Array(new ArrayBuffer(4));
  private nextId = 0;
  private pending = 0;
  private closed = false;
  private idle: (() => void)[] = [];

  /** @param options.threads that work at once; 0: TensorFlow's own choice */
  constructor(
    readonly native: Native,
    { threads = 0 }: { threads?: number } = {},
  ) {
    const { api, status } = native;
    const options = api.TFE_NewContextOptions();
    const config = configProto({ threads });
    if (config.length > 0) api.TFE_ContextOptionsSetConfig(options, config, config.length, status);
    native.check("TFE_ContextOptionsSetConfig");
    this.context = api.TFE_NewContext(options, status);
    api.TFE_DeleteContextOptions(options);
    native.check("TFE_NewContext");
    this.devices = this.listDevices();
    const preferred =
      this.devices.find(({ type }) => type === "GPU") ?? this.devices.find(({ type }) => type === "CPU");
    if (!preferred) throw new TensorflowError("UNAVAILABLE", "TFE_NewContext", "TensorFlow has no device");
    this.device = preferred;
  }

  private listDevices(): Device[] {
    const { api, status } = this.native;
    const list = api.TFE_ContextListDevices(this.context, status);
    this.native.check("TFE_ContextListDevices");
    const devices = Array.from({ length: api.TF_DeviceListCount(list) }, (_, i) => ({
      type: api.TF_DeviceListType(list, i, status),
      name: api.TF_DeviceListName(list, i, status),
    }));
    api.TF_DeleteDeviceList(list);
    return devices;
  }

  /** Copies values into a new tensor. @returns its id */
  create(shape: readonly number[], dtype: number, values: HostValues): number {
    const { api, status } = this.native;
    const tensor = newTensor(this.native, shape, dtype, values);
    let handle = api.TFE_NewTensorHandle(tensor, status);
    api.TF_DeleteTensor(tensor);
    this.native.check("createTensor");
    // int32 stays with the processor: it mostly holds shapes, which kernels read there
    if (this.device.type === "GPU" && dtype !== TYPES.int32 && dtype !== TYPES.string) {
      const copy = api.TFE_TensorHandleCopyToDevice(handle, this.context, this.device.name, status);
      api.TFE_DeleteTensorHandle(handle);
      this.native.check("createTensor");
      handle = copy;
    }
    return this.add({ handle, shape: [...shape], dtype, ownsStrings: dtype === TYPES.string });
  }

  /** @throws TensorflowError if there is no such tensor (any more) */
  delete(id: number): void {
    const { api } = this.native;
    const entry = this.entry(id);
    if (entry.ownsStrings) this.resolved(entry, (tensor) => releaseStrings(this.native, tensor));
    api.TFE_DeleteTensorHandle(entry.handle);
    this.tensors.delete(id);
  }

  /** A copy of a tensor's elements. */
  read(id: number): HostValues {
    return this.resolved(this.entry(id), (tensor) => readTensor(this.native, tensor));
  }

  /** The same; large tensors are copied on another thread. */
  async readAsync(id: number): Promise<HostValues> {
    const entry = this.entry(id);
    const elements = entry.shape.reduce((product, size) => product * size, 1);
    if (elements < LARGE || entry.dtype === TYPES.string) return this.read(id);
    const tensor = this.resolve(entry);
    this.pending++;
    try {
      return await readTensorAsync(this.native, tensor);
    } finally {
      this.native.api.TF_DeleteTensor(tensor);
      this.settle();
    }
  }

  /**
   * Runs an operation or a function.
   *
   * @param outputs most outputs it may have
   * @throws TensorflowError with the operation, its inputs and TensorFlow's message
   */
  execute(name: string, attributes: readonly Attribute[], ids: readonly number[], outputs: number): TensorMetadata[] {
    const { api, status } = this.native;
    const operation = this.operation(name, attributes, ids);
    try {
      if (outputs > this.outputs.length) this.outputs = new Addresses(outputs);
      this.count[0] = outputs;
      api.TFE_Execute(operation, this.outputs.buffer, this.count, status);
      this.native.check(name, () => this.describe(ids));
      return this.collect(this.outputs, this.count[0]);
    } finally {
      api.TFE_DeleteOp(operation);
    }
  }

  /** The same on another thread, so that the event loop stays free. */
  async executeAsync(
    name: string,
    attributes: readonly Attribute[],
    ids: readonly number[],
    outputs: number,
  ): Promise<TensorMetadata[]> {
    const { api } = this.native;
    const operation = this.operation(name, attributes, ids);
    const inputs = this.describe(ids); // they may be gone when the call fails
    const status = api.TF_NewStatus();
    const results = new Addresses(outputs);
    const count = new Int32Array(new ArrayBuffer(4));
    count[0] = outputs;
    this.pending++;
    try {
      await new Promise<void>((resolve, reject) => {
        api.TFE_Execute.async(operation, results.buffer, count, status, (error) => (error ? reject(error) : resolve()));
      });
      this.native.check(name, () => inputs, status);
      return this.collect(results, count[0]);
    } finally {
      api.TFE_DeleteOp(operation);
      api.TF_DeleteStatus(status);
      this.settle();
    }
  }

  /** Makes a function known, which `execute` then takes by its name. @param definition a FunctionDef */
  addFunction(definition: Uint8Array): void {
    this.checkOpen("TFE_ContextAddFunctionDef");
    const { api, status } = this.native;
    api.TFE_ContextAddFunctionDef(this.context, definition, definition.length, status);
    this.native.check("TFE_ContextAddFunctionDef");
  }

  removeFunction(name: string): void {
    if (this.closed) return;
    this.native.api.TFE_ContextRemoveFunction(this.context, name, this.native.status);
    this.native.check("TFE_ContextRemoveFunction", () => name);
  }

  /** The FunctionDef of a function. */
  functionDefinition(name: string): Uint8Array {
    const buffer = this.native.api.TF_NewBuffer();
    this.native.api.TFE_ContextGetFunctionDef(this.context, name, buffer, this.native.status);
    const bytes = takeBuffer(this.native, buffer);
    this.native.check("TFE_ContextGetFunctionDef", () => name);
    return bytes;
  }

  /** The TF_Tensor of a tensor, or of a float32 variable; the caller deletes it. */
  share(id: number): { tensor: number; dtype: number; shape: number[]; variable: boolean } {
    const { dtype, shape } = this.entry(id);
    if (dtype !== TYPES.resource) return { tensor: this.resolve(this.entry(id)), dtype, shape, variable: false };
    const type = { name: "dtype", type: ATTRIBUTE_KINDS.TF_ATTR_TYPE, value: TYPES.float32 };
    const [value] = this.execute("ReadVariableOp", [type], [id], 1);
    try {
      return { ...this.share(value.id), variable: true };
    } finally {
      this.delete(value.id);
    }
  }

  /** Where a tensor's elements are in memory, as long as it lives; for engines on the processor. */
  address(id: number): number {
    return this.resolved(this.entry(id), (tensor) => this.native.api.TF_TensorData(tensor));
  }

  /** Tensors that are alive. */
  get size(): number {
    return this.tensors.size;
  }

  /** Waits for what is running, then releases every tensor and the context. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    if (this.pending > 0) await new Promise<void>((resolve) => this.idle.push(resolve));
    this.release();
  }

  /** Releases everything at once if nothing is running; for the end of a thread, which cannot wait. */
  closeNow(): void {
    if (this.closed || this.pending > 0) return;
    this.closed = true;
    this.release();
  }

  private release(): void {
    for (const { handle } of this.tensors.values()) this.native.api.TFE_DeleteTensorHandle(handle);
    this.tensors.clear();
    this.native.api.TFE_DeleteContext(this.context);
  }

  private checkOpen(operation: string): void {
    if (this.closed) throw new TensorflowError("FAILED_PRECONDITION", operation, "the engine is closed");
  }

  private settle(): void {
    this.pending--;
    if (this.pending === 0) for (const resolve of this.idle.splice(0)) resolve();
  }

  private operation(name: string, attributes: readonly Attribute[], ids: readonly number[]): number {
    this.checkOpen(name);
    const { api, status } = this.native;
    const operation = api.TFE_NewOp(this.context, this.native.cstring(name), status);
    this.native.check(name);
    try {
      for (const id of ids) {
        api.TFE_OpAddInput(operation, this.entry(id).handle, status);
        this.native.check(name, () => this.describe(ids));
      }
      for (const attribute of attributes) setAttribute(this.native, operation, attribute);
      return operation;
    } catch (error) {
      api.TFE_DeleteOp(operation);
      throw error;
    }
  }

  private collect(handles: Addresses, count: number): TensorMetadata[] {
    const { api, status } = this.native;
    return Array.from({ length: count }, (_, i) => {
      const handle = handles.get(i);
      const rank = api.TFE_TensorHandleNumDims(handle, status);
      const shape = Array.from({ length: rank }, (_, axis) => api.TFE_TensorHandleDim(handle, axis, status));
      const dtype = api.TFE_TensorHandleDataType(handle);
      return { id: this.add({ handle, shape, dtype, ownsStrings: false }), shape, dtype };
    });
  }

  private add(entry: Entry): number {
    this.tensors.set(this.nextId, entry);
    return this.nextId++;
  }

  private entry(id: number): Entry {
    const entry = this.tensors.get(id);
    if (!entry) throw new TensorflowError("NOT_FOUND", "tensor", `there is no tensor ${id}: disposed, or never made`);
    return entry;
  }

  private resolve({ handle }: Entry): number {
    const tensor = this.native.api.TFE_TensorHandleResolve(handle, this.native.status);
    this.native.check("TFE_TensorHandleResolve");
    return tensor;
  }

  private resolved<T>(entry: Entry, use: (tensor: number) => T): T {
    const tensor = this.resolve(entry);
    try {
      return use(tensor);
    } finally {
      this.native.api.TF_DeleteTensor(tensor);
    }
  }

  private describe(ids: readonly number[]): string {
    const inputs = ids.slice(0, DESCRIBED).map((id) => {
      const { shape, dtype } = this.entry(id);
      return `${TYPE_NAMES.get(dtype) ?? dtype}[${shape}]`;
    });
    if (ids.length > DESCRIBED) inputs.push(`${ids.length - DESCRIBED} more`);
    return `inputs ${inputs.join(", ") || "none"}`;
  }
}
