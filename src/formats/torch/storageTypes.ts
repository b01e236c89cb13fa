/** PyTorch's storage classes and the dtypes they hold. */
import type { TensorDtype } from "../tensors.js";

const STORAGES: Readonly<Record<TensorDtype, string>> = {
  F64: "DoubleStorage",
  F32: "FloatStorage",
  F16: "HalfStorage",
  BF16: "BFloat16Storage",
  I64: "LongStorage",
  I32: "IntStorage",
  I16: "ShortStorage",
  I8: "CharStorage",
  U8: "ByteStorage",
  BOOL: "BoolStorage",
};

const DTYPES = new Map(Object.entries(STORAGES).map(([dtype, storage]) => [storage, dtype as TensorDtype]));

/** Name of the class in module `torch`. */
export function storageOfDtype(dtype: TensorDtype): string {
  return STORAGES[dtype];
}

export function dtypeOfStorage(storage: string): TensorDtype | undefined {
  return DTYPES.get(storage);
}
