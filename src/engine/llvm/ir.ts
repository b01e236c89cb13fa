/** Writing LLVM's assembly language: values, instructions, loops. */

/** A value with its type, as they stand in the text. */
export interface Value {
  readonly type: string;
  readonly text: string;
}

export const PTR = "ptr";
export const I64 = "i64";
export const I32 = "i32";
export const FLOAT = "float";

/** A vector type of `lanes` elements. */
export const vectorOf = (lanes: number, element: string = FLOAT): string => `<${lanes} x ${element}>`;

export const i64 = (value: number | bigint): Value => ({ type: I64, text: String(value) });
/** Bits above the 31st are the sign. */
export const i32 = (value: number): Value => ({ type: I32, text: String(value | 0) });
export const pointer = (name: string): Value => ({ type: PTR, text: name });
/** The address of nothing. */
export const NULL = pointer("null");

const bits = new DataView(new ArrayBuffer(8));

/** A float32 constant; LLVM writes it as the bits of the double of the same value. */
export function float(value: number): Value {
  bits.setFloat64(0, Math.fround(value));
  return { type: FLOAT, text: `0x${bits.getBigUint64(0).toString(16).toUpperCase().padStart(16, "0")}` };
}

type Comparison = "slt" | "sge" | "eq" | "ne" | "ogt" | "olt" | "oge" | "oeq";

/** The body of one function. Instructions are methods that return their value. */
export class Body {
  private readonly lines: string[] = [];
  private block = "entry";
  private count = 0;

  constructor(readonly lanes: number) {
    this.lines.push("entry:");
  }

  /** type of a vector of floats */
  get vector(): string {
    return vectorOf(this.lanes);
  }

  get text(): string {
    return this.lines.join("\n");
  }

  private name(): string {
    return `%v${this.count++}`;
  }

  private emit(type: string, instruction: string): Value {
    const text = this.name();
    this.lines.push(`  ${text} = ${instruction}`);
    return { type, text };
  }

  /** A binary instruction such as `add`, `fmul`, `xor`. */
  binary(operation: string, a: Value, b: Value): Value {
    return this.emit(a.type, `${operation} ${a.type} ${a.text}, ${b.text}`);
  }
  add = (a: Value, b: Value | number): Value => this.binary("add", a, this.same(a, b));
  sub = (a: Value, b: Value | number): Value => this.binary("sub", a, this.same(a, b));
  mul = (a: Value, b: Value | number): Value => this.binary("mul", a, this.same(a, b));
  div = (a: Value, b: Value | number): Value => this.binary("sdiv", a, this.same(a, b));
  rem = (a: Value, b: Value | number): Value => this.binary("srem", a, this.same(a, b));
  fadd = (a: Value, b: Value): Value => this.binary("fadd", a, b);
  fsub = (a: Value, b: Value): Value => this.binary("fsub", a, b);
  fmul = (a: Value, b: Value): Value => this.binary("fmul", a, b);
  fdiv = (a: Value, b: Value): Value => this.binary("fdiv", a, b);

  private same(a: Value, b: Value | number): Value {
    return typeof b === "number" ? { type: a.type, text: String(b) } : b;
  }

  compare(kind: Comparison, a: Value, b: Value): Value {
    const operation = kind.startsWith("o") ? "fcmp" : "icmp";
    const type = a.type.startsWith("<") ? a.type.replace(/x .*>/, "x i1>") : "i1";
    return this.emit(type, `${operation} ${kind} ${a.type} ${a.text}, ${b.text}`);
  }

  select(condition: Value, yes: Value, no: Value): Value {
    return this.emit(
      yes.type,
      `select ${condition.type} ${condition.text}, ${yes.type} ${yes.text}, ${no.type} ${no.text}`,
    );
  }

  /** Of a condition. */
  not = (condition: Value): Value => this.binary("xor", condition, { type: condition.type, text: "true" });

  /** The larger; `b` where one is not a number, as the processor's own instruction has it. */
  max = (a: Value, b: Value): Value => this.select(this.compare("ogt", a, b), a, b);
  /** The smaller; `b` where one is not a number. */
  min = (a: Value, b: Value): Value => this.select(this.compare("olt", a, b), a, b);

  /** A call of a function whose result has type `type`; `void` gives no value. */
  call(type: string, callee: string, args: readonly Value[]): Value {
    const text = `call ${type} ${callee}(${args.map((arg) => `${arg.type} ${arg.text}`).join(", ")})`;
    if (type === "void") {
      this.lines.push(`  ${text}`);
      return { type, text: "" };
    }
    return this.emit(type, text);
  }

  /** An intrinsic on floats or vectors of them. */
  private intrinsic(name: string, args: readonly Value[]): Value {
    const { type } = args[0];
    const suffix = type === FLOAT ? "f32" : `v${this.lanes}f32`;
    return this.call(type, `@llvm.${name}.${suffix}`, args);
  }
  /** a * b + c, rounded once */
  fma = (a: Value, b: Value, c: Value): Value => this.intrinsic("fma", [a, b, c]);
  /** the nearest whole number */
  round = (a: Value): Value => this.intrinsic("rint", [a]);
  sqrt = (a: Value): Value => this.intrinsic("sqrt", [a]);
  abs = (a: Value): Value => this.intrinsic("fabs", [a]);

  /** The sum of a vector's elements, in pairs. */
  sum(vector: Value): Value {
    const suffix = `v${this.lanes}f32`;
    return this.emit(
      FLOAT,
      `call reassoc float @llvm.vector.reduce.fadd.${suffix}(float 0.0, ${vector.type} ${vector.text})`,
    );
  }

  /** The largest of a vector's elements. */
  largest(vector: Value): Value {
    return this.emit(
      FLOAT,
      `call nnan float @llvm.vector.reduce.fmax.v${this.lanes}f32(${vector.type} ${vector.text})`,
    );
  }

  convert(operation: string, value: Value, to: string): Value {
    return this.emit(to, `${operation} ${value.type} ${value.text} to ${to}`);
  }

  /** Every element the same. */
  splat(value: Value): Value {
    const type = vectorOf(this.lanes, value.type);
    const first = this.emit(type, `insertelement ${type} poison, ${value.type} ${value.text}, i64 0`);
    return this.emit(
      type,
      `shufflevector ${type} ${first.text}, ${type} poison, <${this.lanes} x i32> zeroinitializer`,
    );
  }

  /** Element `at` of a vector. */
  extract(vector: Value, at: number): Value {
    const element = /x (\S+)>/.exec(vector.type)![1];
    return this.emit(element, `extractelement ${vector.type} ${vector.text}, i64 ${at}`);
  }

  /** Elements of two vectors of one type, chosen by number. */
  shuffle(a: Value, b: Value, order: readonly number[]): Value {
    const mask = `<${order.length} x i32> <${order.map((at) => `i32 ${at}`).join(", ")}>`;
    const element = /x (\S+)>/.exec(a.type)![1];
    return this.emit(
      vectorOf(order.length, element),
      `shufflevector ${a.type} ${a.text}, ${b.type} ${b.text}, ${mask}`,
    );
  }

  get zero(): Value {
    return float(0);
  }

  /** A vector of the same constant. */
  constant(value: number): Value {
    return this.splat(float(value));
  }

  /** The address of element `index` of an array of floats (or other elements) at `at`. */
  at(at: Value, index: Value | number, element: string = FLOAT): Value {
    const by = typeof index === "number" ? i64(index) : index;
    return this.emit(PTR, `getelementptr ${element}, ptr ${at.text}, i64 ${by.text}`);
  }

  load(type: string, at: Value): Value {
    return this.emit(type, `load ${type}, ptr ${at.text}, align 4`);
  }

  store(value: Value, at: Value): void {
    this.lines.push(`  store ${value.type} ${value.text}, ptr ${at.text}, align 4`);
  }

  /** Space on the stack, for elements of a type. */
  alloca(type: string, elements: number): Value {
    return this.emit(PTR, `alloca ${type}, i64 ${elements}, align 64`);
  }

  private label(name: string): void {
    this.lines.push(`${name}:`);
    this.block = name;
  }

  /**
   * For `i` from `from` below `to` in steps.
   * @param initial values that the loop carries
   * @param body gives the carried values of the next round
   * @returns the carried values at the end
   */
  loop(
    from: Value | number,
    to: Value | number,
    step: number,
    initial: readonly Value[],
    body: (i: Value, carried: Value[]) => readonly Value[],
  ): Value[] {
    const [first, end] = [from, to].map((bound) => (typeof bound === "number" ? i64(bound) : bound));
    const number = this.count++;
    const [head, exit] = [`loop${number}`, `exit${number}`];
    const before = this.block;
    const any = this.compare("slt", first, end);
    this.lines.push(`  br i1 ${any.text}, label %${head}, label %${exit}`);
    this.label(head);
    const i = { type: I64, text: this.name() };
    const carried = initial.map(({ type }) => ({ type, text: this.name() }));
    const phis = this.lines.length;
    const next = body(i, carried);
    const after = this.add(i, step);
    const more = this.compare("slt", after, end);
    const last = this.block;
    this.lines.push(`  br i1 ${more.text}, label %${head}, label %${exit}`);
    const phi = (value: Value, start: Value, again: Value) =>
      `  ${value.text} = phi ${value.type} [ ${start.text}, %${before} ], [ ${again.text}, %${last} ]`;
    this.lines.splice(phis, 0, phi(i, first, after), ...carried.map((value, k) => phi(value, initial[k], next[k])));
    this.label(exit);
    return next.map((value, k) =>
      this.emit(value.type, `phi ${value.type} [ ${initial[k].text}, %${before} ], [ ${value.text}, %${last} ]`),
    );
  }

  /** Runs `body` if the condition holds. */
  when(condition: Value, body: () => void): void {
    const number = this.count++;
    const [yes, exit] = [`then${number}`, `exit${number}`];
    this.lines.push(`  br i1 ${condition.text}, label %${yes}, label %${exit}`);
    this.label(yes);
    body();
    this.lines.push(`  br label %${exit}`);
    this.label(exit);
  }

  /** Ends the function. */
  end(): void {
    this.lines.push("  ret void");
  }
}

/** A module: functions, and the intrinsics they call. */
export class Module {
  private readonly functions: string[] = [];

  constructor(readonly lanes: number) {}

  /** Adds a function without result. @param write is given the body and the parameters */
  define(
    name: string,
    parameters: readonly string[],
    write: (body: Body, given: Value[]) => void,
    { internal = false }: { internal?: boolean } = {},
  ): void {
    const body = new Body(this.lanes);
    const given = parameters.map((type, i) => ({ type, text: `%p${i}` }));
    write(body, given);
    body.end();
    const list = given.map(({ type, text }) => `${type} ${text}`).join(", ");
    const width = 32 * this.lanes;
    const attributes = `nounwind "prefer-vector-width"="${width}" "min-legal-vector-width"="${width}"`;
    this.functions.push(`define ${internal ? "internal " : ""}void @${name}(${list}) ${attributes} {\n${body.text}\n}`);
  }

  get text(): string {
    const all = this.functions.join("\n\n");
    return `${all}\n\n${declarations(all, this.lanes)}\n`;
  }
}

/** Instructions of the matrix unit (Intel AMX), whose tiles are named by constants. */
const MATRIX_UNIT = [
  "declare void @llvm.x86.ldtilecfg(ptr)",
  "declare void @llvm.x86.tilerelease()",
  "declare void @llvm.x86.tileloadd64(i8 immarg, ptr, i64)",
  "declare void @llvm.x86.tilestored64(i8 immarg, ptr, i64)",
  "declare void @llvm.x86.tdpbf16ps(i8 immarg, i8 immarg, i8 immarg)",
];

/** Declarations of the intrinsics that a text calls. */
function declarations(text: string, lanes: number): string {
  const vector = vectorOf(lanes);
  const suffix = `v${lanes}f32`;
  const known = ["fma", "rint", "sqrt", "fabs"].flatMap((name) => {
    const count = name === "fma" ? 3 : 1;
    const declare = (type: string, end: string) =>
      `declare ${type} @llvm.${name}.${end}(${Array(count).fill(type).join(", ")})`;
    return [declare(vector, suffix), declare(FLOAT, "f32")];
  });
  known.push(...MATRIX_UNIT);
  known.push(`declare float @llvm.vector.reduce.fadd.${suffix}(float, ${vector})`);
  known.push(`declare float @llvm.vector.reduce.fmax.${suffix}(${vector})`);
  return known.filter((line) => text.includes(`${/@\S+?(?=\()/.exec(line)![0]}(`)).join("\n");
}
