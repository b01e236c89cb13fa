/** Setting the attributes of an operation that is about to run. */
import { TensorflowError } from "./errors.js";
import type { Native } from "./native.js";

/** Kinds of attributes, numbered as tfjs-node's kernels expect. */
export const ATTRIBUTE_KINDS = {
  TF_ATTR_STRING: 0,
  TF_ATTR_INT: 1,
  TF_ATTR_FLOAT: 2,
  TF_ATTR_BOOL: 3,
  TF_ATTR_TYPE: 4,
  TF_ATTR_SHAPE: 5,
  TF_ATTR_RESOURCE: 9,
} as const;

export type AttributeValue = boolean | number | string | readonly number[] | readonly boolean[] | object;

/** An attribute as tfjs-node's kernels give it. */
export interface Attribute {
  name: string;
  /** of `ATTRIBUTE_KINDS` */
  type: number;
  value: AttributeValue;
}

type Setter = (native: Native, operation: number, key: number, value: AttributeValue) => void;

const { TF_ATTR_STRING, TF_ATTR_INT, TF_ATTR_FLOAT, TF_ATTR_BOOL, TF_ATTR_TYPE, TF_ATTR_SHAPE } = ATTRIBUTE_KINDS;

const SETTERS: Readonly<Record<number, Setter>> = {
  [TF_ATTR_STRING]: ({ api }, operation, key, value) => {
    const bytes = Buffer.from(value as string);
    api.TFE_OpSetAttrString(operation, key, bytes, bytes.length);
  },
  [TF_ATTR_INT]: ({ api }, operation, key, value) => {
    const list = numbers(value);
    if (list) api.TFE_OpSetAttrIntList(operation, key, longs(list), list.length);
    else api.TFE_OpSetAttrInt(operation, key, value as number);
  },
  [TF_ATTR_FLOAT]: ({ api }, operation, key, value) => {
    const list = numbers(value);
    if (list) api.TFE_OpSetAttrFloatList(operation, key, Float32Array.from(list), list.length);
    else api.TFE_OpSetAttrFloat(operation, key, value as number);
  },
  [TF_ATTR_BOOL]: ({ api }, operation, key, value) => {
    const list = numbers(value);
    if (list) api.TFE_OpSetAttrBoolList(operation, key, Uint8Array.from(list, Number), list.length);
    else api.TFE_OpSetAttrBool(operation, key, value ? 1 : 0);
  },
  [TF_ATTR_TYPE]: ({ api }, operation, key, value) => {
    const list = numbers(value);
    if (list) api.TFE_OpSetAttrTypeList(operation, key, Int32Array.from(list), list.length);
    else api.TFE_OpSetAttrType(operation, key, value as number);
  },
  [TF_ATTR_SHAPE]: ({ api, status }, operation, key, value) => {
    const shape = value as number[];
    api.TFE_OpSetAttrShape(operation, key, longs(shape), shape.length, status);
  },
};

/**
 * Sets one attribute. TensorFlow ignores names that the operation does not have.
 * @param operation its address
 */
export function setAttribute(native: Native, operation: number, { name, type, value }: Attribute): void {
  const set = SETTERS[type];
  if (!set) throw new TensorflowError("UNIMPLEMENTED", `attribute ${name}`, `kind ${type} cannot be set`);
  set(native, operation, native.cstring(name), value);
  if (type === TF_ATTR_SHAPE) native.check(`attribute ${name}`);
}

const numbers = (value: AttributeValue): number[] | null => (Array.isArray(value) ? (value as number[]) : null);
const longs = (values: readonly number[]): BigInt64Array => BigInt64Array.from(values, BigInt);
