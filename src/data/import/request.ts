/** Which variables of which files make which fields of the store. */
import { basename } from "node:path";
import { AtmorepError } from "../../errors.js";
import { fieldName } from "./fieldNames.js";
import type { InputFile, InputVariable } from "./types.js";

/** `NAME[:LEVEL]=VARIABLE[@FILE]` */
export interface FieldRequest {
  name: string;
  /** the level to take, or the level that a variable without a level axis is on; null for the variable's own levels */
  level: number | null;
  variable: string;
  /** path or last part of the path; null for every file that has the variable */
  file: string | null;
}

/** One variable (in one file) that gives values of a field. */
export interface FieldPiece {
  name: string;
  surface: boolean;
  level: number | null;
  variable: InputVariable;
}

/** @throws AtmorepError (usage) if it is not of the form */
export function parseFieldRequest(text: string, surface: boolean): FieldRequest {
  const match = /^([^=:@\s]+)(?::(\d+))?=([^@]+?)(?:@(.+))?$/.exec(text);
  const option = surface ? "--field-sfc" : "--field";
  if (!match || (surface && match[2] !== undefined) || (match[2] !== undefined && Number(match[2]) === 0)) {
    throw new AtmorepError("usage", "not a field and its source", {
      where: option,
      found: text,
      expected: surface
        ? "NAME=VARIABLE or NAME=VARIABLE@FILE"
        : "NAME[:LEVEL]=VARIABLE or NAME[:LEVEL]=VARIABLE@FILE, with a level above 0",
    });
  }
  const [, name, level, variable, file] = match;
  return { name, level: level === undefined ? null : Number(level), variable, file: file ?? null };
}

/**
 * The pieces of every field, in the order asked for. Without requests every gridded variable is taken under its
 * well-known name: those with a level axis as upper-air fields, the others as surface fields.
 * @throws AtmorepError (input) if a file lacks what is asked for
 */
export function choosePieces(
  files: readonly InputFile[],
  upper: FieldRequest[],
  surface: FieldRequest[],
): FieldPiece[] {
  if (upper.length + surface.length === 0) return everything(files);
  return [
    ...upper.flatMap((request) => piecesOf(files, request, false)),
    ...surface.flatMap((request) => piecesOf(files, request, true)),
  ];
}

function everything(files: readonly InputFile[]): FieldPiece[] {
  const pieces = files.flatMap((file) =>
    file.variables.map((variable) => {
      const surface = variable.levels === null;
      return { name: fieldName(variable.name, surface), surface, level: null, variable };
    }),
  );
  for (const piece of pieces) {
    const other = pieces.find((p) => p.name === piece.name && p.variable.name !== piece.variable.name);
    if (!other) continue;
    throw new AtmorepError("input", "two variables would become the same field", {
      where: piece.variable.path,
      found: `${piece.variable.name} and ${other.variable.name}, both ${piece.name}`,
      fix: "Name the fields with --field and --field-sfc",
    });
  }
  if (pieces.length > 0) return pieces;
  throw new AtmorepError("input", "no gridded variable found", {
    where: files.map((file) => file.path).join(", "),
    found: contents(files),
    expected: "variables of time, (level,) latitude, longitude",
  });
}

function piecesOf(files: readonly InputFile[], request: FieldRequest, surface: boolean): FieldPiece[] {
  const named = request.file === null ? files : files.filter((file) => isFile(file, request.file as string));
  const isAsked = ({ name, alias }: InputVariable) => name === request.variable || alias === request.variable;
  const found = named.flatMap((file) => file.variables.filter(isAsked));
  if (found.length === 0) {
    const why = named.flatMap((file) => file.skipped).find((entry) => entry.name === request.variable)?.why;
    throw new AtmorepError(
      "input",
      why ? `${request.variable} cannot be used: ${why}` : `no variable ${request.variable}`,
      {
        where: named.map((file) => file.path).join(", ") || (request.file ?? ""),
        found: why ? undefined : contents(named),
      },
    );
  }
  return found.map((variable) => {
    const { levels, path, name } = variable;
    if (!surface && levels === null && request.level === null) {
      throw new AtmorepError("usage", "the variable has no level axis, so its level must be given", {
        where: `${path}: ${name}`,
        expected: `--field ${request.name}:LEVEL=${name}, or --field-sfc for a surface field`,
      });
    }
    if (surface && levels !== null && levels.length > 1) {
      throw new AtmorepError("usage", "the variable has levels, so it is no surface field", {
        where: `${path}: ${name}`,
        found: `levels ${levels.join(", ")}`,
        fix: "Use --field",
      });
    }
    return { name: request.name, surface, level: request.level, variable };
  });
}

/** True if a request's `@FILE` means this file. */
export function isFile(file: Pick<InputFile, "path">, name: string): boolean {
  return file.path === name || basename(file.path) === name;
}

function contents(files: readonly InputFile[]): string {
  const usable = files.flatMap((file) => file.variables.map((variable) => variable.name));
  const skipped = files.flatMap((file) => file.skipped.map(({ name, why }) => `${name} (${why})`));
  return [...new Set([...usable, ...skipped])].join(", ") || "no variables with dimensions";
}
