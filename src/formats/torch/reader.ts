/** Opening PyTorch state dicts (`torch.save`, zip format): the pickle is read, tensors stay in the file until asked for. */
import { BUDGET } from "../../budgets.js";
import { AtmorepError } from "../../errors.js";
import { DTYPE_SIZE, numElements, type SafeTensor, type TensorFile, type TensorInfo } from "../tensors.js";
import { type ZipEntry, ZipReader } from "../zip/reader.js";
import { isDict, isTensor, type PickledValue, type TensorRef, unpickle } from "./unpickle.js";

/** How often the bytes of a file may stand in its tensors. */
const MOST_VIEWS = 8;
const READ_PIECE = 64 * 2 ** 20;

/**
 * Opens a `.mod` or `.pt` file holding one state dict of tensors.
 * @returns its tensors in order, with the names that share a storage; `read` gives contiguous bytes
 * @throws AtmorepError (input) for anything else: damaged files, other pickles, compressed or legacy files
 */
export async function openTorch(path: string): Promise<TensorFile> {
  const zip = await ZipReader.open(path);
  try {
    const { root, folder } = await readPickle(zip);
    const refs = stateDict(path, root);
    const tensors = describe(refs);
    for (const [name, ref] of refs) check(zip, name, ref, storageEntry(zip, folder, name, ref));
    checkUnfolded(zip, tensors);
    return {
      format: "torch",
      path,
      tensors,
      moduleVersions: moduleVersions(root),
      async read(name) {
        const ref = refs.get(name);
        if (!ref) throw new AtmorepError("input", `the file has no tensor ${name}`, { where: path });
        return readTensor(zip, storageEntry(zip, folder, name, ref), ref);
      },
      close: () => zip.close(),
    };
  } catch (error) {
    await zip.close();
    throw error;
  }
}

function fault(path: string, what: string, found?: unknown): AtmorepError {
  const fix = "The file is damaged, or is not a state dict of tensors saved by torch.save.";
  return new AtmorepError("input", what, { where: path, found, fix });
}

async function readPickle(zip: ZipReader): Promise<{ root: PickledValue; folder: string }> {
  const pickle = [...zip.entries.values()].find((entry) => /^[^/]*\/data\.pkl$/.test(entry.name));
  if (!pickle) throw fault(zip.path, "the archive has no data.pkl");
  if (pickle.size > BUDGET.pickleBytes) throw fault(zip.path, "data.pkl is too large for a state dict", pickle.size);
  const folder = pickle.name.slice(0, -"data.pkl".length);
  const byteorder = zip.entries.get(`${folder}byteorder`);
  if (byteorder) {
    const order = Buffer.from(await zip.read(byteorder, 0, Math.min(byteorder.size, 16))).toString("latin1");
    if (order !== "little") throw fault(zip.path, "only little-endian files can be read", order);
  }
  return { root: unpickle(await zip.read(pickle), `${zip.path}: ${pickle.name}`), folder };
}

function stateDict(path: string, root: PickledValue): Map<string, TensorRef> {
  if (!isDict(root)) throw fault(path, "the file does not hold a state dict");
  const refs = new Map<string, TensorRef>();
  for (const [name, value] of root.items) {
    const label = typeof name === "string" ? name : "without a name";
    if (typeof name !== "string" || !isTensor(value)) {
      throw fault(path, `the entry ${label.slice(0, 80)} of the state dict is not a tensor`);
    }
    refs.set(name, value);
  }
  return refs;
}

function describe(refs: Map<string, TensorRef>): TensorInfo[] {
  const first = new Map<string, string>();
  return [...refs].map(([name, { storage, offset, shape, stride }]) => {
    const layout = [storage.key, offset, shape.join(), stride.join()].join("|");
    const aliasOf = first.get(layout);
    if (aliasOf === undefined) first.set(layout, name);
    const info: TensorInfo = { name, dtype: storage.dtype, shape };
    return aliasOf === undefined ? info : { ...info, aliasOf };
  });
}

function moduleVersions(root: PickledValue): Map<string, number> | null {
  const metadata = isDict(root) ? root.metadata : undefined;
  if (!isDict(metadata)) return null;
  const versions = new Map<string, number>();
  for (const [module, value] of metadata.items) {
    const version = isDict(value) ? value.items.get("version") : undefined;
    if (typeof module === "string" && typeof version === "number") versions.set(module, version);
  }
  return versions;
}

function storageEntry(zip: ZipReader, folder: string, name: string, { storage }: TensorRef): ZipEntry {
  const entry = zip.entries.get(`${folder}data/${storage.key}`);
  if (!entry) throw fault(zip.path, `tensor ${name} names storage ${storage.key}, which the archive lacks`);
  return entry;
}

/** Number of the storage's elements from the first to the last that the tensor touches. */
function span({ shape, stride }: TensorRef): number {
  if (numElements(shape) === 0) return 0;
  return shape.reduce((last, n, i) => last + (n - 1) * stride[i], 1);
}

function check(zip: ZipReader, name: string, ref: TensorRef, entry: ZipEntry): void {
  const size = DTYPE_SIZE[ref.storage.dtype];
  if (entry.size < ref.storage.size * size || !((ref.offset + span(ref)) * size <= entry.size)) {
    throw fault(zip.path, `tensor ${name} lies outside its storage of ${entry.size} bytes`);
  }
  // Bytes that came in between move the values behind them: PyTorch writes whole storages, and reads nothing else.
  if (entry.size - ref.storage.size * size >= size) {
    throw fault(zip.path, `tensor ${name} has a storage of ${entry.size} bytes, not ${ref.storage.size * size}`);
  }
  if (entry.method === 0 && entry.offset + 30 + entry.size > zip.fileSize) {
    throw fault(zip.path, `tensor ${name} lies outside the file`);
  }
  const bytes = numElements(ref.shape) * size;
  if (!(bytes <= Math.max(zip.fileSize, BUDGET.unfolded))) {
    throw fault(zip.path, `tensor ${name} would unfold to more than the file holds`, `[${ref.shape.join(", ")}]`);
  }
}

/** Views of one storage and tensors of stride 0 are more than the file holds; all together they may be so a few times. */
function checkUnfolded(zip: ZipReader, tensors: readonly TensorInfo[]): void {
  let bytes = 0;
  for (const { dtype, shape } of tensors) bytes += numElements(shape) * DTYPE_SIZE[dtype];
  if (bytes > Math.max(MOST_VIEWS * zip.fileSize, BUDGET.unfolded)) {
    throw fault(zip.path, "the tensors would unfold to more than the file holds", `${bytes} bytes`);
  }
}

function isContiguous({ shape, stride }: TensorRef): boolean {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && stride[i] !== expected) return false;
    expected *= shape[i];
  }
  return true;
}

async function readTensor(zip: ZipReader, entry: ZipEntry, ref: TensorRef): Promise<SafeTensor> {
  const { dtype } = ref.storage;
  const size = DTYPE_SIZE[dtype];
  const { shape } = ref;
  if (isContiguous(ref)) {
    const bytes = await zip.read(entry, ref.offset * size, numElements(shape) * size);
    return { dtype, shape, bytes };
  }
  return { dtype, shape, bytes: await gather(zip, entry, ref, size) };
}

/**
 * Copies a strided tensor to contiguous order, an outermost slice at a time where the storage is large, so that
 * memory stays at the tensor plus a piece.
 */
async function gather(zip: ZipReader, entry: ZipEntry, ref: TensorRef, size: number): Promise<Uint8Array> {
  const out = new Uint8Array(numElements(ref.shape) * size);
  if (out.length === 0) return out;
  let at = 0;
  const collect = async (dim: number, offset: number): Promise<void> => {
    const rest: TensorRef = { ...ref, shape: ref.shape.slice(dim), stride: ref.stride.slice(dim) };
    const bytes = span(rest) * size;
    if (bytes > READ_PIECE && rest.shape.length > 1) {
      for (let i = 0; i < ref.shape[dim]; i++) await collect(dim + 1, offset + i * ref.stride[dim]);
      return;
    }
    const source = await zip.read(entry, offset * size, bytes);
    at = copyStrided(source, rest, size, out, at);
  };
  await collect(0, ref.offset);
  return out;
}

function copyStrided(
  source: Uint8Array,
  { shape, stride }: TensorRef,
  size: number,
  out: Uint8Array,
  at: number,
): number {
  const index = new Array<number>(shape.length).fill(0);
  const count = numElements(shape);
  let from = 0;
  let to = at;
  for (let n = 0; n < count; n++) {
    for (let b = 0; b < size; b++) out[to + b] = source[from * size + b];
    to += size;
    for (let dim = shape.length - 1; dim >= 0; dim--) {
      index[dim] += 1;
      from += stride[dim];
      if (index[dim] < shape[dim]) break;
      from -= shape[dim] * stride[dim];
      index[dim] = 0;
    }
  }
  return to;
}
