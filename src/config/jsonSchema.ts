/** The schema as a JSON Schema, for editors: completion, descriptions and faults while a configuration is written. */
import { type KnownNames, knownNames } from "./check.js";
import { describeKind, type Kind, type NameTable, type RealBounds } from "./kinds.js";
import { SCHEMA } from "./schema.js";
import { SCHEMA_KEY } from "./text/files.js";

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * A JSON Schema (draft 7, which all editors know) of a configuration file: every key may be left out, unknown keys are
 * let pass, as by the program. Names of losses and the like are completed, others are let pass: programs register them.
 */
export function jsonSchema(names: KnownNames): JsonSchema {
  const properties = SCHEMA.map(({ key, kind, default: fallback, doc }) => {
    return [
      key,
      { description: `${doc} ${sentence(describeKind(kind))}`, ...schemaOf(kind, names), default: fallback },
    ];
  });
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "A configuration of AtmoRep",
    type: "object",
    properties: { [SCHEMA_KEY]: { type: "string" }, ...Object.fromEntries(properties) },
  };
}

const sentence = (words: string) => `${words[0].toUpperCase()}${words.slice(1)}.`;

function schemaOf(kind: Kind, names: KnownNames): JsonSchema {
  switch (kind.kind) {
    case "anything":
      return {};
    case "boolean":
      return { type: "boolean" };
    case "constant":
      return { const: kind.value };
    case "integer":
      return { type: "integer", ...bounds(kind) };
    case "real":
      return { type: "number", ...bounds(kind) };
    case "text":
      return { type: "string", ...(kind.pattern && { pattern: kind.pattern.source }) };
    case "choice":
      return { enum: kind.of };
    case "name":
      return named(kind.table, names);
    case "shares":
      return shares(kind.table, names);
    case "nullable":
      return { anyOf: [schemaOf(kind.of, names), { type: "null" }] };
    case "either":
      return { anyOf: kind.of.map((option) => schemaOf(option, names)) };
    case "list":
      return {
        type: "array",
        items: schemaOf(kind.of, names),
        ...(kind.minLength > 0 && { minItems: kind.minLength }),
        maxItems: kind.maxLength,
        ...(kind.unique && { uniqueItems: true }),
      };
    case "tuple":
      return {
        type: "array",
        items: kind.items.map(({ name, of }) => ({ title: name, ...schemaOf(of, names) })),
        minItems: kind.items.length - kind.optional,
        additionalItems: false,
      };
  }
}

const bounds = ({ min, max, above, below, limit }: RealBounds): JsonSchema => ({
  ...(min !== undefined && { minimum: min }),
  ...(above !== undefined && { exclusiveMinimum: above }),
  ...((max ?? limit?.most) !== undefined && { maximum: max ?? limit?.most }),
  ...(below !== undefined && { exclusiveMaximum: below }),
});

function named(table: NameTable, names: KnownNames): JsonSchema {
  const choices = knownNames(table, names);
  return choices.length > 0 ? { anyOf: [{ enum: choices }, { type: "string" }] } : { type: "string" };
}

function shares(table: NameTable, names: KnownNames): JsonSchema {
  const share = { type: "number", exclusiveMinimum: 0 };
  const properties = Object.fromEntries(knownNames(table, names).map((name) => [name, share]));
  return { type: "object", properties, additionalProperties: share, minProperties: 1 };
}
