/**
 * The functions of TensorFlow's C API used here (tensorflow/c/c_api.h, tensorflow/c/eager/c_api.h), as data: result
 * first, then parameters. Addresses are JavaScript numbers: those of user space lie below 2^53, and numbers are
 * faster than BigInts.
 */

/** Our names of C types, and the C types. */
export const C_TYPES = {
  void: "void",
  int: "int",
  byte: "uint8_t",
  long: "int64_t",
  size: "size_t",
  float: "float",
  string: "const char *",
  /** an address as a number */
  address: "uint64_t",
  /** a typed array, whose elements C reads or writes */
  buffer: "void *",
  /** TF_Output, which C takes by value: an operation and the number of its output */
  output: "TF_Output",
} as const;

type CType = keyof typeof C_TYPES;

export const DECLARATIONS = {
  TF_Version: ["string"],
  TF_NewStatus: ["address"],
  TF_DeleteStatus: ["void", "address"],
  TF_GetCode: ["int", "address"],
  TF_Message: ["string", "address"],
  TF_AllocateTensor: ["address", "int", "buffer", "int", "size"],
  TF_DeleteTensor: ["void", "address"],
  TF_TensorData: ["address", "address"],
  TF_TensorByteSize: ["size", "address"],
  TF_TensorType: ["int", "address"],
  TF_StringInit: ["void", "address"],
  TF_StringCopy: ["void", "address", "buffer", "size"],
  TF_StringGetDataPointer: ["address", "address"],
  TF_StringGetSize: ["size", "address"],
  TF_StringDealloc: ["void", "address"],
  TF_GetRegisteredKernelsForOp: ["address", "string", "address"],
  TF_NewOpDefinitionBuilder: ["address", "address"],
  TF_OpDefinitionBuilderAddInput: ["void", "address", "address"],
  TF_OpDefinitionBuilderAddOutput: ["void", "address", "address"],
  TF_OpDefinitionBuilderSetShapeInferenceFunction: ["void", "address", "address"],
  TF_RegisterOpDefinition: ["void", "address", "address"],
  TF_NewKernelBuilder: ["address", "address", "address", "address", "address", "address"],
  TF_RegisterKernelBuilder: ["void", "address", "address", "address"],
  TF_NewBuffer: ["address"],
  TF_DeleteBuffer: ["void", "address"],
  TFE_NewContextOptions: ["address"],
  TFE_ContextOptionsSetConfig: ["void", "address", "buffer", "size", "address"],
  TFE_DeleteContextOptions: ["void", "address"],
  TFE_NewContext: ["address", "address", "address"],
  TFE_DeleteContext: ["void", "address"],
  TFE_ContextListDevices: ["address", "address", "address"],
  TF_DeviceListCount: ["int", "address"],
  TF_DeviceListType: ["string", "address", "int", "address"],
  TF_DeviceListName: ["string", "address", "int", "address"],
  TF_DeleteDeviceList: ["void", "address"],
  TFE_NewTensorHandle: ["address", "address", "address"],
  TFE_DeleteTensorHandle: ["void", "address"],
  TFE_TensorHandleDataType: ["int", "address"],
  TFE_TensorHandleNumDims: ["int", "address", "address"],
  TFE_TensorHandleDim: ["long", "address", "int", "address"],
  TFE_TensorHandleResolve: ["address", "address", "address"],
  TFE_TensorHandleCopyToDevice: ["address", "address", "address", "string", "address"],
  TFE_NewOp: ["address", "address", "address", "address"],
  TFE_DeleteOp: ["void", "address"],
  TFE_OpAddInput: ["void", "address", "address", "address"],
  TFE_Execute: ["void", "address", "buffer", "buffer", "address"],
  TFE_OpSetAttrString: ["void", "address", "address", "buffer", "size"],
  TFE_OpSetAttrInt: ["void", "address", "address", "long"],
  TFE_OpSetAttrFloat: ["void", "address", "address", "float"],
  TFE_OpSetAttrBool: ["void", "address", "address", "byte"],
  TFE_OpSetAttrType: ["void", "address", "address", "int"],
  TFE_OpSetAttrShape: ["void", "address", "address", "buffer", "int", "address"],
  TFE_OpSetAttrIntList: ["void", "address", "address", "buffer", "int"],
  TFE_OpSetAttrFloatList: ["void", "address", "address", "buffer", "int"],
  TFE_OpSetAttrBoolList: ["void", "address", "address", "buffer", "int"],
  TFE_OpSetAttrTypeList: ["void", "address", "address", "buffer", "int"],
  TFE_ContextAddFunctionDef: ["void", "address", "buffer", "size", "address"],
  TFE_ContextRemoveFunction: ["void", "address", "string", "address"],
  TFE_ContextGetFunctionDef: ["void", "address", "string", "address", "address"],
  TF_NewBufferFromString: ["address", "buffer", "size"],
  TF_NewGraph: ["address"],
  TF_DeleteGraph: ["void", "address"],
  TF_NewImportGraphDefOptions: ["address"],
  TF_DeleteImportGraphDefOptions: ["void", "address"],
  TF_GraphImportGraphDef: ["void", "address", "address", "address", "address"],
  TF_GraphOperationByName: ["address", "address", "address"],
  TF_GraphGetOpDef: ["void", "address", "address", "address", "address"],
  TF_GraphGetTensorNumDims: ["int", "address", "output", "address"],
  TF_GraphGetTensorShape: ["void", "address", "output", "buffer", "int", "address"],
  TF_OperationOutputType: ["int", "output"],
  TF_OperationOutputListLength: ["int", "address", "address", "address"],
  TF_NewSessionOptions: ["address"],
  TF_SetConfig: ["void", "address", "buffer", "size", "address"],
  TF_DeleteSessionOptions: ["void", "address"],
  TF_NewSession: ["address", "address", "address", "address"],
  TF_DeleteSession: ["void", "address", "address"],
  // session, options, 3 of inputs, 3 of outputs, 2 of targets, metadata, status
  TF_SessionRun: [
    "void",
    "address",
    "address",
    "buffer",
    "buffer",
    "int",
    "buffer",
    "buffer",
    "int",
    "buffer",
    "int",
    "address",
    "address",
  ],
} as const satisfies Record<string, readonly [CType, ...CType[]]>;

type Value<T extends CType> = T extends "void"
  ? undefined
  : T extends "string"
    ? string
    : T extends "buffer"
      ? ArrayBufferView | null
      : T extends "output"
        ? { oper: number; index: number }
        : number;
type Values<T extends readonly CType[]> = { -readonly [K in keyof T]: Value<T[K]> };
type Signature<T extends readonly [CType, ...CType[]]> = T extends readonly [
  infer R extends CType,
  ...infer A extends readonly CType[],
]
  ? CFunction<Values<A>, Value<R>>
  : never;

/** A C function; `async` runs it on a thread of libuv's pool. */
export interface CFunction<A extends unknown[], R> {
  (...parameters: A): R;
  async(...parameters: [...A, (error: Error | null, result: R) => void]): void;
}

/** The C API as functions of JavaScript. */
export type TensorflowApi = { [K in keyof typeof DECLARATIONS]: Signature<(typeof DECLARATIONS)[K]> };
