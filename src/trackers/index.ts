/**
 * The numbers of a run in the formats that groups already look at, fed by the run's own events: TensorBoard, MLflow, files of
 * Weights & Biases. All stand beside `results/` and `models/`, which stay the same with and without them.
 */
import type { RunConfig } from "../config/types.js";
import type { FinishedEvent, Series, StepEvent, TrainEvent, ValidatedEvent } from "../runs/events.js";
import { metricSeries } from "../runs/series.js";
import { mlflow, trackingUri } from "./mlflow.js";
import { tensorboard } from "./tensorboard.js";
import type { TrackedEnd, TrackedRow, TrackedRun, Tracker } from "./tracker.js";
import { wandb } from "./wandb.js";

/** Trackers that `trackers` of a configuration may name. */
const TRACKERS: Record<RunConfig["trackers"][number], (run: TrackedRun) => Promise<Tracker>> = { mlflow, tensorboard };

/** Whether anything is told; configurations of older programs have no `trackers`. */
export const isTracked = ({ trackers, with_wandb }: Partial<RunConfig>): boolean => !!with_wandb || !!trackers?.length;

/** @throws AtmorepError (config) where a tracker cannot work, before anything is computed */
export function assertTrackable({ trackers }: Partial<RunConfig>): void {
  if (trackers?.includes("mlflow")) trackingUri();
}

/**
 * The same events; what they say goes to the trackers of the configuration too. One that fails is told by a warning and
 * left out: the training goes on.
 * @param out folder that holds `results/` and `models/`
 */
export async function* tracked(
  events: AsyncGenerator<TrainEvent, FinishedEvent>,
  out: string,
): AsyncGenerator<TrainEvent, FinishedEvent> {
  let trackers: Named[] = [];
  let warnings: string[] = [];
  const each = async (call: (tracker: Tracker) => Promise<void>) => {
    for (const { name, tracker } of [...trackers]) {
      await call(tracker).catch((error: Error) => {
        warnings.push(warning(name, error));
        trackers = trackers.filter((other) => other.name !== name);
      });
    }
  };
  const told = function* (): Generator<TrainEvent, void> {
    for (const message of warnings.splice(0)) yield { type: "warning", message };
  };
  let end: TrackedEnd = "interrupted";
  try {
    for (;;) {
      const { done, value: event } = await events.next();
      if (done) return event;
      if (event.type === "started") {
        const { runId: id, config, engine, firstStep } = event;
        const opened = await open(config, { id, out, config, engine, firstStep, began: Date.now() });
        ({ trackers, warnings } = opened);
        yield { ...event, trackers: trackers.map(({ tracker }) => tracker.where) };
        yield* told();
        continue;
      }
      const row = rowOf(event);
      if (row) await each((tracker) => tracker.row(row).catch((error) => closed(tracker, error)));
      if (event.type === "finished") {
        end = event.reason === "interrupted" ? "interrupted" : "finished";
        await each((tracker) => tracker.end(end));
        trackers = [];
      }
      yield* told();
      yield event;
    }
  } catch (error) {
    end = "failed";
    throw error;
  } finally {
    // a reader that has left: the run saves what it has, before anybody waits for a server
    await events.return(undefined as never).finally(() => each((tracker) => tracker.end(end)));
  }
}

/** One that fails closes its files. @throws the error that it failed with */
const closed = async (tracker: Tracker, error: Error): Promise<never> => {
  await tracker.end("failed").catch(() => {});
  throw error;
};

interface Named {
  name: string;
  tracker: Tracker;
}

async function open(config: RunConfig, run: TrackedRun): Promise<{ trackers: Named[]; warnings: string[] }> {
  const wanted = config.trackers.map((name) => [name, TRACKERS[name]] as const);
  const all = config.with_wandb ? [...wanted, ["wandb", wandb] as const] : wanted;
  const trackers: Named[] = [];
  const warnings: string[] = [];
  for (const [name, start] of all) {
    await start(run).then(
      (tracker) => trackers.push({ name, tracker }),
      (error: Error) => warnings.push(warning(name, error)),
    );
  }
  return { trackers, warnings };
}

const warning = (name: string, error: Error): string =>
  `${name} is not told of this run any more, which goes on without: ${error.message}${error.cause instanceof Error ? ` (${error.cause.message})` : ""}`;

function rowOf(event: TrainEvent): TrackedRow | null {
  if (event.type !== "step" && event.type !== "validated") return null;
  const all = event.type === "step" ? ofStep(event) : ofValidation(event);
  const values = Object.fromEntries(Object.entries(all).filter(([, value]) => Number.isFinite(value)));
  return { step: event.step, validation: event.type === "validated", time: Date.now(), values };
}

const ofStep = ({ series, learningRate, gradientNorm, epoch, samples, milliseconds }: StepEvent): Series => ({
  ...series,
  "learning rate": learningRate,
  "gradient norm": gradientNorm,
  epoch,
  samples,
  "seconds a step": (milliseconds.data + milliseconds.compute) / 1000,
});

/** With the root mean square error of each field, in its unit. */
const ofValidation = ({ series, skill }: ValidatedEvent): Series => ({
  ...series,
  ...Object.fromEntries(
    skill.flatMap(({ kind, field, rmse }) => (kind === "all" ? [[metricSeries("rmse", field), rmse.model]] : [])),
  ),
});
