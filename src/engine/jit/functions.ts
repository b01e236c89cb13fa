/** Functions of every element of a vector. */
import { type Body, I32, type Value, vectorOf } from "../llvm/ir.js";

/** (2^r - 1) / r, |r| <= 1/2, the highest power first (Chebyshev interpolation; with rounding within 9e-8 of 2^r) */
const EXP2 = [
  1.5453162941980736e-4, 1.3390863364174759e-3, 9.61808255728395e-3, 5.5503571142201544e-2, 0.24022650760568132,
  0.6931471880262287,
];
/** added to a small number it leaves the nearest whole number in the lowest bits */
const ROUNDING = 12582912;
/** bits of a float32's mantissa */
const MANTISSA = 23;
/** below it the result would leave the range of normal numbers */
const SMALLEST = -126;

/** a polynomial, the highest power first */
function polynomial(body: Body, x: Value, coefficients: readonly number[]): Value {
  return coefficients.slice(1).reduce((sum, c) => body.fma(sum, x, body.constant(c)), body.constant(coefficients[0]));
}

/** 2^x of numbers up to 0 and of those a little above, at least 2^-126; what is not a number stays so. */
export function exp2UpToZero(body: Body, given: Value): Value {
  const x = body.max(body.constant(SMALLEST), given);
  const shifted = body.fadd(x, body.constant(ROUNDING));
  const rest = body.fsub(x, body.fsub(shifted, body.constant(ROUNDING)));
  const y = body.fma(polynomial(body, rest, EXP2), rest, body.constant(1));
  // 2^n by adding n to the exponent
  const integers = vectorOf(body.lanes, I32);
  const bits = (value: Value) => body.convert("bitcast", value, integers);
  const power = body.binary("shl", bits(shifted), body.splat({ type: I32, text: String(MANTISSA) }));
  return body.convert("bitcast", body.add(bits(y), power), body.vector);
}

/** Rational approximation of erf on [-4, 4], as Eigen has it: odd numerator over even denominator. */
const ERF_ABOVE = [
  -2.72614225801306e-10, 2.77068142495902e-8, -2.10102402082508e-6, -5.69250639462346e-5, -7.34990630326855e-4,
  -2.95459980854025e-3, -1.60960333262415e-2,
];
const ERF_BELOW = [
  -1.45660718464996e-5, -2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3, -1.42647390514189e-2,
];

/** The error function, within a few units of the last place of 1. */
export function erf(body: Body, given: Value): Value {
  const x = body.min(body.constant(4), body.max(body.constant(-4), given));
  const square = body.fmul(x, x);
  const above = body.fmul(polynomial(body, square, ERF_ABOVE), x);
  return body.fdiv(above, polynomial(body, square, ERF_BELOW));
}
