/** Values of the cell thread as a debugger's client shows them. */
import type { MainThread } from "./mainThread.js";
import { ACCESS } from "./names.js";

/** A value there; V8's inspector calls it so. */
export interface RemoteObject {
  type: string;
  subtype?: string;
  className?: string;
  value?: unknown;
  unserializableValue?: string;
  description?: string;
  objectId?: string;
  preview?: Preview;
}

interface Preview {
  description?: string;
  subtype?: string;
  overflow: boolean;
  properties: { name: string; type: string; value?: string }[];
}

export interface Property {
  name: string;
  value?: RemoteObject;
  get?: RemoteObject;
}

/** As the Debug Adapter Protocol has it. */
export interface Variable {
  name: string;
  value: string;
  /** of functions alone: JupyterLab's tree shows the value where there is none, which of an object has its class */
  type?: string;
  evaluateName: string;
  /** 0: nothing within */
  variablesReference: number;
}

/** Elements of a list that are shown. */
const ELEMENTS = 100;
const LONGEST = 1_000;
/** Parts of a value that its line shows. */
const PREVIEWED = 10;
/** Names that compiled cells have beside their own. */
const HIDDEN = /^(?:exports|require|module|__filename|__dirname|__kernel__|__run__|arguments|this|_[a-z]|__esModule)$/;
/** Takes the first elements of a long list. */
const FIRST = "function (n) { return Array.prototype.slice.call(this, 0, n); }";
const LENGTH = "function () { return Array.isArray(this) || ArrayBuffer.isView(this) ? (this.length ?? 0) : -1; }";

/** A value in one line. */
export function textOf({ type, subtype, value, unserializableValue, description, preview }: RemoteObject): string {
  if (type === "undefined") return "undefined";
  if (subtype === "null") return "null";
  if (type === "string") return cut(JSON.stringify(value));
  if (type === "object" && preview !== undefined && subtype !== "error") return cut(previewed(preview));
  return cut((unserializableValue ?? description ?? String(value)).split("\n")[0]);
}

function previewed({ description, subtype, overflow, properties }: Preview): string {
  const isList = subtype === "array" || subtype === "typedarray";
  const inner = properties.slice(0, PREVIEWED).map(({ name, type, value }) => {
    const text = type === "string" ? JSON.stringify(value) : value || type;
    return isList && /^\d+$/.test(name) ? text : `${name}: ${text}`;
  });
  if (overflow || properties.length > PREVIEWED) inner.push("…");
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  const name = description === undefined || description === "Object" ? "" : `${description} `;
  return `${name}${open}${inner.join(", ")}${close}`;
}

const cut = (text: string) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

/** Variables and what is in them, under numbers that hold until the cell goes on or all are looked at anew. */
export class Values {
  readonly #main: MainThread;
  readonly #within = new Map<number, () => Promise<Variable[]>>();
  #next = 1;

  constructor(main: MainThread) {
    this.#main = main;
  }

  forget(): void {
    this.#within.clear();
  }

  /** A number under which `list` is asked. */
  refer(list: () => Promise<Variable[]>): number {
    const reference = this.#next++;
    this.#within.set(reference, list);
    return reference;
  }

  /** What is under a number. @throws Error for one that holds no more */
  async within(reference: number): Promise<Variable[]> {
    const list = this.#within.get(reference);
    if (list === undefined) throw new Error("the value is no longer there: look again");
    return await list();
  }

  /** Variables of all cells: values, then functions. */
  async globals(): Promise<Variable[]> {
    const expression = `globalThis[Symbol.for(${JSON.stringify(ACCESS)})].values`;
    const { result } = await this.#main.post<{ result: RemoteObject }>("Runtime.evaluate", { expression });
    const all = await this.named(result);
    const isFunction = ({ type }: Variable) => type === "function";
    return [...all.filter((one) => !isFunction(one)), ...all.filter(isFunction)];
  }

  /** Names and values that a scope has. */
  async named(scope: RemoteObject): Promise<Variable[]> {
    const properties = await this.#properties(scope.objectId);
    return properties
      .filter(({ name, value }) => !HIDDEN.test(name) && !isImport(name, value))
      .map((property) => this.variable(property));
  }

  variable({ name, value, get }: Property): Variable {
    // newer versions of V8 send nothing of what is declared and not set yet
    const shown: RemoteObject =
      value ?? (get === undefined ? { type: "undefined" } : { type: "accessor", description: "(getter)" });
    const { objectId } = shown;
    return {
      name,
      value: textOf(shown),
      ...(shown.type === "function" ? { type: "function" } : {}),
      evaluateName: name,
      variablesReference: objectId === undefined ? 0 : this.refer(() => this.#inside(objectId)),
    };
  }

  async #inside(objectId: string): Promise<Variable[]> {
    const call = async (functionDeclaration: string, ...args: unknown[]) => {
      const named = args.map((value) => ({ value }));
      const asked = { objectId, functionDeclaration, arguments: named };
      return (await this.#main.post<{ result: RemoteObject }>("Runtime.callFunctionOn", asked)).result;
    };
    const length = Number((await call(LENGTH)).value);
    if (length <= ELEMENTS) return (await this.#properties(objectId)).map((property) => this.variable(property));
    const first = await this.#properties((await call(FIRST, ELEMENTS)).objectId);
    const rest = { name: "…", value: { type: "string", value: `the first ${ELEMENTS} of ${length}` } };
    return [...first.filter(({ name }) => name !== "length"), rest].map((property) => this.variable(property));
  }

  async #properties(objectId: string | undefined): Promise<Property[]> {
    if (objectId === undefined) return [];
    const asked = { objectId, ownProperties: true, generatePreview: true };
    const { result, internalProperties = [] } = await this.#main.post<{
      result: Property[];
      internalProperties?: Property[];
    }>("Runtime.getProperties", asked);
    return [...result, ...internalProperties.filter(({ name }) => name === "[[Entries]]")];
  }
}

/** A module that compiled code keeps under a name of its own. */
const isImport = (name: string, value: RemoteObject | undefined) => /_\d+$/.test(name) && value?.subtype === "proxy";
