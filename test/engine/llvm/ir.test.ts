import { describe, expect, it } from "vitest";
import {
  Body,
  FLOAT,
  float,
  I32,
  I64,
  i32,
  i64,
  Module,
  PTR,
  pointer,
  type Value,
  vectorOf,
} from "../../../src/engine/llvm/ir.js";
import fc from "../../support/property.js";

/** Lines of a body that `write` fills, without the first, `entry:`. */
function lines(write: (body: Body) => void, lanes = 4): string[] {
  const body = new Body(lanes);
  write(body);
  const [entry, ...rest] = body.text.split("\n").map((line) => line.trim());
  expect(entry).toBe("entry:");
  return rest;
}
const value = (type: string, text: string): Value => ({ type, text });
const [A, B] = [value(FLOAT, "%a"), value(FLOAT, "%b")];
const VECTOR = value("<4 x float>", "%x");

describe("constants", () => {
  it("are float32 numbers as the bits of the double of the same value", () => {
    expect(float(1).text).toBe("0x3FF0000000000000");
    expect(float(0.1).text).toBe("0x3FB99999A0000000");
    expect(float(-0).text).toBe("0x8000000000000000");
    expect(float(Number.POSITIVE_INFINITY).text).toBe("0x7FF0000000000000");
    fc.assert(
      fc.property(fc.float({ noNaN: true }), (x) => {
        const view = new DataView(new ArrayBuffer(8));
        view.setBigUint64(0, BigInt(float(x).text));
        expect(Object.is(view.getFloat64(0), x)).toBe(true);
      }),
    );
  });

  it("round what is no float32 number", () => {
    expect(float(1e40)).toEqual(float(Number.POSITIVE_INFINITY));
    expect(float(1 / 3)).toEqual(float(Math.fround(1 / 3)));
  });

  it("are whole numbers, in 32 bits with their sign", () => {
    expect([i64(-3), i64(2n ** 40n)]).toEqual([value(I64, "-3"), value(I64, "1099511627776")]);
    expect([i32(7).text, i32(0xffffffff).text, i32(0x80000000).text]).toEqual(["7", "-1", "-2147483648"]);
    expect(pointer("%p")).toEqual(value(PTR, "%p"));
  });

  it("fill vectors", () => {
    expect(lines((body) => expect(body.constant(2)).toEqual(value("<4 x float>", "%v1")))).toEqual([
      "%v0 = insertelement <4 x float> poison, float 0x4000000000000000, i64 0",
      "%v1 = shufflevector <4 x float> %v0, <4 x float> poison, <4 x i32> zeroinitializer",
    ]);
    expect(vectorOf(8, I32)).toBe("<8 x i32>");
  });
});

describe("instructions", () => {
  it("name their values one after the other and carry their types", () => {
    const text = lines((body) => {
      const sum = body.fadd(A, B);
      const larger = body.max(sum, A);
      body.store(larger, body.at(pointer("%p"), i64(3)));
      const wide = body.convert("fpext", body.load(FLOAT, body.at(pointer("%p"), 1)), "double");
      expect(wide.type).toBe("double");
    });
    expect(text).toEqual([
      "%v0 = fadd float %a, %b",
      "%v1 = fcmp ogt float %v0, %a",
      "%v2 = select i1 %v1, float %v0, float %a",
      "%v3 = getelementptr float, ptr %p, i64 3",
      "store float %v2, ptr %v3, align 4",
      "%v4 = getelementptr float, ptr %p, i64 1",
      "%v5 = load float, ptr %v4, align 4",
      "%v6 = fpext float %v5 to double",
    ]);
  });

  it("take plain numbers beside a value of their type", () => {
    const n = value(I64, "%n");
    expect(lines((body) => [body.add(n, 1), body.sub(n, 2), body.mul(n, n), body.div(n, 3), body.rem(n, 4)])).toEqual([
      "%v0 = add i64 %n, 1",
      "%v1 = sub i64 %n, 2",
      "%v2 = mul i64 %n, %n",
      "%v3 = sdiv i64 %n, 3",
      "%v4 = srem i64 %n, 4",
    ]);
  });

  it("compare numbers and vectors of them", () => {
    expect(
      lines((body) => {
        expect(body.compare("slt", value(I64, "%n"), i64(1)).type).toBe("i1");
        expect(body.compare("oge", VECTOR, VECTOR).type).toBe("<4 x i1>");
      }),
    ).toEqual(["%v0 = icmp slt i64 %n, 1", "%v1 = fcmp oge <4 x float> %x, %x"]);
  });

  it("choose elements", () => {
    expect(
      lines((body) => {
        expect(body.extract(VECTOR, 2).type).toBe(FLOAT);
        expect(body.shuffle(VECTOR, VECTOR, [0, 5]).type).toBe("<2 x float>");
      }),
    ).toEqual([
      "%v0 = extractelement <4 x float> %x, i64 2",
      "%v1 = shufflevector <4 x float> %x, <4 x float> %x, <2 x i32> <i32 0, i32 5>",
    ]);
  });

  it("call functions with a result or without", () => {
    expect(
      lines((body) => {
        expect(body.call("void", "@f", [A, i64(1)]).text).toBe("");
        expect(body.call(I32, "@g", []).text).toBe("%v0");
        body.fma(VECTOR, VECTOR, VECTOR);
        body.sqrt(A);
      }),
    ).toEqual([
      "call void @f(float %a, i64 1)",
      "%v0 = call i32 @g()",
      "%v1 = call <4 x float> @llvm.fma.v4f32(<4 x float> %x, <4 x float> %x, <4 x float> %x)",
      "%v2 = call float @llvm.sqrt.f32(float %a)",
    ]);
  });
});

describe("loops", () => {
  it("carry values from round to round, and give them back", () => {
    const text = lines((body) => {
      const [total] = body.loop(0, value(I64, "%n"), 2, [A], (i, [sum]) => {
        body.call("void", "@use", [i]);
        return [body.fadd(sum, B)];
      });
      body.store(total, pointer("%p"));
    });
    expect(text).toEqual([
      "%v1 = icmp slt i64 0, %n",
      "br i1 %v1, label %loop0, label %exit0",
      "loop0:",
      "%v2 = phi i64 [ 0, %entry ], [ %v5, %loop0 ]",
      "%v3 = phi float [ %a, %entry ], [ %v4, %loop0 ]",
      "call void @use(i64 %v2)",
      "%v4 = fadd float %v3, %b",
      "%v5 = add i64 %v2, 2",
      "%v6 = icmp slt i64 %v5, %n",
      "br i1 %v6, label %loop0, label %exit0",
      "exit0:",
      "%v7 = phi float [ %a, %entry ], [ %v4, %loop0 ]",
      "store float %v7, ptr %p, align 4",
    ]);
  });

  it("within loops come back from where the inner one ended", () => {
    const text = lines((body) => {
      body.loop(0, 3, 1, [], () => {
        body.loop(0, 5, 1, [], () => []);
        return [];
      });
    });
    const phis = text.filter((line) => line.includes("phi"));
    expect(phis).toEqual([
      "%v2 = phi i64 [ 0, %entry ], [ %v8, %exit3 ]",
      "%v5 = phi i64 [ 0, %loop0 ], [ %v6, %loop3 ]",
    ]);
  });

  it("after a condition come from where it ended", () => {
    const text = lines((body) => {
      body.when(body.compare("eq", i64(1), i64(1)), () => body.store(A, pointer("%p")));
      body.loop(0, 3, 1, [], () => []);
    });
    expect(text).toEqual(
      expect.arrayContaining([
        "br i1 %v0, label %then1, label %exit1",
        "then1:",
        "br label %exit1",
        "exit1:",
        "%v4 = phi i64 [ 0, %exit1 ], [ %v5, %loop2 ]",
      ]),
    );
  });
});

describe("a module", () => {
  it("declares the intrinsics that its functions call, and no others", () => {
    const module = new Module(8);
    module.define("f", [PTR, FLOAT], (body, [p, x]) => body.store(body.abs(x), p));
    module.define("g", [PTR], (body, [p]) => body.store(body.sum(body.round(body.load(body.vector, p))), p), {
      internal: true,
    });
    const { text } = module;
    expect(text.split("\n").filter((line) => line.startsWith("declare"))).toEqual([
      "declare <8 x float> @llvm.rint.v8f32(<8 x float>)",
      "declare float @llvm.fabs.f32(float)",
      "declare float @llvm.vector.reduce.fadd.v8f32(float, <8 x float>)",
    ]);
    const width = '"prefer-vector-width"="256" "min-legal-vector-width"="256"';
    expect(text).toContain(`define void @f(ptr %p0, float %p1) nounwind ${width} {\nentry:\n`);
    expect(text).toContain(`define internal void @g(ptr %p0) nounwind ${width} {`);
    expect(text.match(/ {2}ret void\n}/g)).toHaveLength(2);
  });
});
