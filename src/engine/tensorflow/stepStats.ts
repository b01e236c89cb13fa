/** What TensorFlow tells of a run (RunMetadata: tensorflow/core/protobuf/config.proto, framework/step_stats.proto). */
import { Message } from "./unwire.js";
import { TYPES } from "./values.js";

/** One operation of a run. */
export interface OperationTime {
  /** its type, such as `MatMul` */
  op: string;
  /** its name in the graph */
  node: string;
  /** of the machine, such as `/device:CPU:0` */
  device: string;
  /** microseconds since 1970 */
  start: number;
  /** microseconds */
  duration: number;
  /** such as `float32[2,3]` */
  outputs: string[];
}

const TYPE_NAMES = new Map<number, string>(Object.entries(TYPES).map(([name, type]) => [type, name]));

/** The operations in a RunMetadata, by their start. */
export function operationTimes(metadata: Uint8Array): OperationTime[] {
  const stats = new Message(metadata).messages(1).flatMap((step) => step.messages(1));
  const times = stats.flatMap((device) => device.messages(2).map((node) => operationTime(device.text(1), node)));
  return times.sort((a, b) => a.start - b.start || b.duration - a.duration);
}

function operationTime(device: string, node: Message): OperationTime {
  const name = node.text(1);
  // nanoseconds where the library tells them
  const [begin, relative, end] = node.whole(13)
    ? [node.whole(13) / 1000, node.whole(14) / 1000, node.whole(15) / 1000]
    : [node.whole(2), node.whole(3), node.whole(4)];
  return {
    op: / = (\w+)\(/.exec(node.text(8))?.[1] ?? (name.startsWith("_") ? name.slice(1) : name),
    node: name,
    device,
    start: begin + relative,
    duration: end - relative,
    outputs: node.messages(7).flatMap((output) => output.messages(3).map(describe)),
  };
}

function describe(tensor: Message): string {
  const sizes = tensor.messages(2).flatMap((shape) => shape.messages(2).map((dim) => dim.whole(1)));
  return `${TYPE_NAMES.get(tensor.whole(1)) ?? tensor.whole(1)}[${sizes}]`;
}
