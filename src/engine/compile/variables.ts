/** Values that TensorFlow keeps and changes in place. */
import type * as tf from "@tensorflow/tfjs-core";
import { ATTRIBUTE_KINDS, type Tensorflow, TYPES } from "../tensorflow/index.js";

/** Resource variables, one per tensor; `release` frees them. */
export interface Variables {
  /** ids of their handles */
  handles: readonly number[];
  release(): void;
}

const { TF_ATTR_STRING, TF_ATTR_TYPE, TF_ATTR_SHAPE } = ATTRIBUTE_KINDS;
const DTYPE = { name: "dtype", type: TF_ATTR_TYPE, value: TYPES.float32 };

let count = 0;

/** Variables with the values of float32 tensors, which are shared until the variable changes. */
export function createVariables({ context, backend }: Tensorflow, tensors: readonly tf.Tensor[]): Variables {
  const handles: number[] = [];
  for (const [i, id] of backend.getInputTensorIds(tensors).entries()) {
    const attributes = [
      DTYPE,
      { name: "shape", type: TF_ATTR_SHAPE, value: tensors[i].shape },
      { name: "shared_name", type: TF_ATTR_STRING, value: `variable_${process.pid}_${count++}` },
      { name: "container", type: TF_ATTR_STRING, value: "" },
    ];
    const [handle] = context.execute("VarHandleOp", attributes, [], 1);
    context.execute("AssignVariableOp", [DTYPE], [handle.id, id], 0);
    handles.push(handle.id);
  }
  return {
    handles,
    release() {
      for (const handle of handles.splice(0)) {
        context.execute("DestroyResourceOp", [], [handle], 0);
        context.delete(handle);
      }
    },
  };
}
