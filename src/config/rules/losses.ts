/** Rules on the loss and the optimiser. */
import type { Fault } from "../faults.js";
import type { Rule } from "./rule.js";

const membersSuffice: Rule = {
  reads: ["losses", "net_tail_num_nets"],
  check: (config, names) =>
    config.losses.flatMap((loss, i) => {
      const needed = names.losses[loss].members;
      if (config.net_tail_num_nets >= needed) return [];
      return [
        {
          code: "too-few-members",
          path: `losses[${i}]`,
          what: `${loss} needs the spread of ${needed} or more ensemble members`,
          found: `net_tail_num_nets = ${config.net_tail_num_nets}`,
          expected: `net_tail_num_nets of at least ${needed}`,
          fix: `Set net_tail_num_nets to ${needed} or more, or use mse`,
        },
      ];
    }),
};

const weightsMatch: Rule = {
  reads: ["losses", "loss_weights"],
  check: ({ losses, loss_weights: weights }) => {
    if (weights === null) return [];
    if (weights.length !== losses.length) {
      return [
        {
          code: "weights-miss-losses",
          path: "loss_weights",
          what: `${weights.length} weights for ${losses.length} losses`,
          found: weights,
          expected: `one weight for each of ${losses.join(", ")}`,
          fix: "Give as many weights as losses, or null",
        },
      ];
    }
    if (weights.some((weight) => weight > 0)) return [];
    return [
      {
        code: "no-loss",
        path: "loss_weights",
        what: "every weight is 0, so there is no loss",
        found: weights,
        expected: "at least one weight above 0",
        fix: "Set a weight to 1, or loss_weights to null",
      },
    ];
  },
};

const epochHoldsABatch: Rule = {
  reads: ["num_samples_per_epoch", "batch_size"],
  check: (config) => batchFits(config.batch_size, "batch_size", config.num_samples_per_epoch, "num_samples_per_epoch"),
};

const validationHoldsABatch: Rule = {
  reads: ["num_samples_validate", "batch_size_validation"],
  check: (config) =>
    batchFits(
      config.batch_size_validation,
      "batch_size_validation",
      config.num_samples_validate,
      "num_samples_validate",
    ),
};

function batchFits(batch: number, path: string, samples: number, samplesKey: string): Fault[] {
  if (batch <= samples) return [];
  return [
    {
      code: "batch-exceeds-epoch",
      path,
      what: "the batch is larger than the epoch, which would hold no batch",
      found: batch,
      expected: `at most ${samplesKey} = ${samples}`,
      fix: `Lower ${path} or raise ${samplesKey}`,
    },
  ];
}

const rankBelowSize: Rule = {
  reads: ["par_rank", "par_size"],
  check: ({ par_rank: rank, par_size: size }) =>
    rank < size
      ? []
      : [
          {
            code: "rank-unfit",
            path: "par_rank",
            what: "the number of the process is not below the number of processes",
            found: rank,
            expected: `0 to ${size - 1}`,
            fix: "Leave par_rank and par_size to the run",
          },
        ],
};

export const LOSS_RULES: readonly Rule[] = [
  membersSuffice,
  weightsMatch,
  epochHoldsABatch,
  validationHoldsABatch,
  rankBelowSize,
];
