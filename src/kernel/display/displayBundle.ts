/** From a value to what a notebook shows of it. */
import { inspect } from "node:util";
import type { MimeBundle } from "../wire/protocol.js";
import { describeNumbers, isNumbers } from "./displayNumbers.js";
import { describeTable, isTable } from "./displayTable.js";
import { describeTensor, isTensor } from "./displayTensor.js";

/**
 * An object with this method says itself how it is shown: the method returns a bundle, null for nothing, or a promise of
 * either.
 */
export const DISPLAY = Symbol.for("Jupyter.display");

/** On the global object: functions of libraries that know how their values are shown; each answers a bundle, or undefined. */
const DISPLAYERS = Symbol.for("Jupyter.displayers");

const INSPECT = { depth: 4, maxArrayLength: 100, maxStringLength: 10_000, breakLength: 100 } as const;

export interface Displayed {
  data: MimeBundle;
  metadata: Record<string, unknown>;
}

/** True for plain objects all of whose keys are media types. */
export function isBundle(value: unknown): value is MimeBundle {
  if (typeof value !== "object" || value === null) return false;
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => /^[a-z]+\/[\w.+-]+$/.test(key));
}

/** Text as Node's console shows it, long things shortened; strings in quotes only inside others. */
function plain(value: unknown): string {
  try {
    return inspect(value, INSPECT);
  } catch (error) {
    return `[a value that cannot be shown: ${error instanceof Error ? error.message : String(error)}]`;
  }
}

/** Uint8Array contents become base64, as Jupyter wants images. */
function encodeBinary(bundle: MimeBundle): MimeBundle {
  const entries = Object.entries(bundle).map(([type, content]) => [
    type,
    content instanceof Uint8Array ? Buffer.from(content).toString("base64") : content,
  ]);
  return Object.fromEntries(entries);
}

/** What to show of any value, null for nothing; never throws because of the value's own display method. */
export async function bundleOf(value: unknown): Promise<Displayed | null> {
  const own = ownDisplay(value);
  if (own !== undefined) {
    try {
      const bundle: unknown = await own();
      if (bundle === null) return null;
      if (isBundle(bundle)) {
        const data = encodeBinary(bundle);
        return { data: { "text/plain": plain(value), ...data }, metadata: {} };
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { data: { "text/plain": `${plain(value)}\n[its display method failed: ${reason}]` }, metadata: {} };
    }
  }
  const known = await knownDisplay(value);
  if (known !== undefined) return { data: encodeBinary(known), metadata: {} };
  if (isTensor(value)) return { data: { "text/plain": await describeTensor(value) }, metadata: {} };
  if (isTable(value)) return { data: describeTable(value), metadata: {} };
  if (isNumbers(value)) return { data: { "text/plain": describeNumbers(value) }, metadata: {} };
  return { data: { "text/plain": plain(value) }, metadata: {} };
}

/** What the first library that knows the value says of it; one that fails is passed over. */
async function knownDisplay(value: unknown): Promise<MimeBundle | undefined> {
  const displayers: unknown = Reflect.get(globalThis, DISPLAYERS);
  if (!Array.isArray(displayers)) return undefined;
  for (const display of displayers) {
    try {
      const bundle: unknown = await display(value);
      if (isBundle(bundle)) return bundle;
    } catch {}
  }
  return undefined;
}

function ownDisplay(value: unknown): (() => unknown) | undefined {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
  const method: unknown = Reflect.get(value, DISPLAY);
  return typeof method === "function" ? () => method.call(value) : undefined;
}
