/** Rules on `fields` and `fields_prediction`. */
import type { Fault } from "../faults.js";
import { parseFields } from "../fields.js";
import { nearestName } from "../nearest.js";
import { eachField, isHidden, type Rule } from "./rule.js";

const AXES = [
  { key: "n_size[0]", name: "time", unit: "steps" },
  { key: "n_size[1]", name: "latitude", unit: "grid rows" },
  { key: "n_size[2]", name: "longitude", unit: "grid columns" },
] as const;

const uniqueFields: Rule = {
  reads: ["fields"],
  check: (config) =>
    duplicates(config.fields.map(([name]) => name)).map((i) => ({
      code: "repeated",
      path: `fields[${i}][0]`,
      what: "the field is listed twice",
      found: config.fields[i][0],
      expected: "each field once",
      fix: "Put all its levels into one entry",
    })),
};

const uniquePredictions: Rule = {
  reads: ["fields_prediction"],
  check: (config) =>
    duplicates(config.fields_prediction.map(([name]) => name)).map((i) => ({
      code: "repeated",
      path: `fields_prediction[${i}][0]`,
      what: "the field is predicted twice",
      found: config.fields_prediction[i][0],
      expected: "each field once",
      fix: "Remove one of the two",
    })),
};

const predictedExist: Rule = {
  reads: ["fields", "fields_prediction"],
  check: (config) => {
    const names = config.fields.map(([name]) => name);
    return config.fields_prediction.flatMap(([name], i) =>
      names.includes(name) ? [] : [unknownField(`fields_prediction[${i}][0]`, "predicted", name, names)],
    );
  },
};

const somethingPredicted: Rule = {
  reads: ["fields", "fields_prediction"],
  check: (config) => {
    const fields = parseFields(config);
    const predicted = config.fields_prediction.flatMap(([name]) => fields.filter((field) => field.name === name));
    if (predicted.length === 0 || predicted.some(isHidden)) return [];
    return [
      {
        code: "nothing-hidden",
        path: "fields_prediction",
        what: "nothing to predict: static fields and fields of total rate 0 are never hidden",
        found: predicted.map((field) => field.name),
        expected: "at least one dynamic field with a total rate above 0",
        fix: `Set fields[${predicted[0].index}][1][0] to 1 and fields[${predicted[0].index}][5][0] above 0`,
      },
    ];
  },
};

const weighted: Rule = {
  reads: ["fields_prediction"],
  check: (config) =>
    config.fields_prediction.some(([, weight]) => weight > 0)
      ? []
      : [
          {
            code: "no-loss",
            path: "fields_prediction",
            what: "every weight is 0, so there is no loss",
            found: config.fields_prediction,
            expected: "at least one weight above 0",
            fix: "Set a weight to 1",
          },
        ],
};

const coupledExist = eachField([], (field, where, config) => {
  const names = config.fields.map(([name]) => name);
  return field.coupled.flatMap((name, i): Fault[] => {
    const path = `${where}[1][2][${i}]`;
    if (name === field.name) {
      return [
        {
          code: "self-coupled",
          path,
          what: "a field is coupled to itself",
          found: name,
          expected: "other fields",
          fix: "Remove the name",
        },
      ];
    }
    return names.includes(name) ? [] : [unknownField(path, "coupled", name, names)];
  });
});

const surfaceAlone = eachField([], (field, where) =>
  field.levels.includes(0) && field.L > 1
    ? [
        {
          code: "surface-with-levels",
          path: `${where}[2]`,
          what: "level 0 (the surface array) stands beside model levels",
          found: field.levels,
          expected: "[0] or model levels",
          fix: "Make the surface field an entry of its own",
        },
      ]
    : [],
);

const tokensFillTime = eachField(["n_size"], (field, where, config) => {
  const [nt] = field.numTokens;
  const [tt] = field.tokenSize;
  const steps = config.n_size[0];
  if (nt * tt === steps) return [];
  return [
    {
      code: "tokens-miss-cube",
      path: `${where}[3][0]`,
      what: `${nt} tokens of ${tt} time steps make ${nt * tt} steps, not the cube's`,
      found: nt * tt,
      expected: `n_size[0] = ${steps}`,
      fix:
        steps % tt === 0
          ? `Set ${where}[3][0] to ${steps / tt} or n_size[0] to ${nt * tt}`
          : `Set n_size[0] to ${nt * tt}`,
    },
  ];
});

const sameWindow: Rule = {
  reads: ["fields"],
  check: (config) => {
    const [first, ...others] = parseFields(config);
    return others.flatMap((field) =>
      [1, 2].flatMap((axis): Fault[] => {
        const points = field.numTokens[axis] * field.tokenSize[axis];
        const wanted = first.numTokens[axis] * first.tokenSize[axis];
        if (points === wanted) return [];
        return [
          {
            code: "tokens-miss-cube",
            path: `fields[${field.index}][3][${axis}]`,
            what: `the tokens cover ${points} ${AXES[axis].unit}, those of ${first.name} ${wanted}`,
            found: points,
            expected: `${wanted}, since all fields share one window`,
            fix: `Change the tokens in ${AXES[axis].name} of one of the two`,
          },
        ];
      }),
    );
  },
};

function unknownField(path: string, role: string, name: string, names: readonly string[]): Fault {
  const nearest = nearestName(name, names);
  return {
    code: "unknown-name",
    path,
    what: `the ${role} field is not among the fields`,
    found: name,
    expected: `one of ${names.join(", ")}`,
    fix: nearest ? `Did you mean ${JSON.stringify(nearest)}?` : "Add it to fields or remove it here",
  };
}

/** Positions of values that stood before. */
function duplicates(values: readonly string[]): number[] {
  return values.flatMap((value, i) => (values.indexOf(value) < i ? [i] : []));
}

export const FIELD_RULES: readonly Rule[] = [
  uniqueFields,
  coupledExist,
  surfaceAlone,
  tokensFillTime,
  sameWindow,
  uniquePredictions,
  predictedExist,
  somethingPredicted,
  weighted,
];
