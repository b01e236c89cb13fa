/** The live figure of a run that somebody else trains: another process, a batch job, or yesterday's. */

import type { FieldSkill } from "../../runs/events.js";
import { runFolder } from "../../runs/folder.js";
import { type RunDetails, readRun } from "../../runs/list.js";
import { type RunReference, runPlace } from "../../runs/locate.js";
import { MetricsReader } from "../../runs/metrics.js";
import { TRAINING_LOSS } from "../../runs/series.js";
import { displayed, figureText, type Shown, show } from "../figure/display.js";
import { LiveFigure, type LiveOptions } from "../figure/live.js";
import type { Figure } from "../figure/types.js";
import { durationText } from "../views/progress.js";
import { type RunPart, ratePoints, trainingFigure } from "../views/training.js";
import { interruptible } from "./interrupt.js";
import { runParts } from "./parts.js";

export interface WatchOptions extends LiveOptions {
  /** folder that holds `results/` and `models/` */
  out?: string;
  /** false: draw what there is and return */
  follow?: boolean;
  /** milliseconds between looks at the file */
  every?: number;
  signal?: AbortSignal;
  /** drawn as horizontal lines, such as those of `atmorep.baselines(config)` */
  baselines?: readonly FieldSkill[];
  /** ends the watching, such as a child process's end; until then an interrupted run is watched on */
  until?: Promise<unknown>;
}

/**
 * Draws a run from its `metrics.jsonl` and keeps drawing while it grows. Stops when the run has ended, when nothing
 * has come for two minutes, or when the cell is interrupted; the run itself goes on.
 * @throws AtmorepError (usage) if there is no such run
 * @example await watch("ab12cd34");
 */
export async function watch(run: RunReference, options: WatchOptions = {}): Promise<Shown<Figure>> {
  const { id, out } = runPlace(run, options.out);
  const { follow = true, every = 1000 } = options;
  let ended = false;
  options.until?.finally(() => {
    ended = true;
  });
  const live = new LiveFigure(options);
  const reader = new MetricsReader(runFolder(out, id).metrics);
  let former: RunPart[] | null = null;
  const figure = await interruptible(options.signal, async (signal) => {
    for (;;) {
      const last = ended;
      const details = await readRun(out, id, reader);
      // parents have ended
      former ??= (await runParts(details, out)).slice(0, -1);
      const drawn = trainingFigure({
        runId: id,
        rows: details.metrics,
        rates: ratePoints([...former, { ...details, rows: rowsAfter(details, former) }]),
        baselines: options.baselines,
        status: statusLine(details),
      });
      // an interrupted run may be about to be continued by the process that is waited for
      const goesOn = options.until || details.status === "running" || details.status === "not started";
      if (!follow || last || signal.aborted || !goesOn) return drawn;
      await live.frame(drawn);
      await grown(reader, every, () => signal.aborted || ended);
    }
  });
  await live.finish(figure);
  // With a live figure the curves stand there already.
  const words = async () => ({ "text/plain": figureText(figure) });
  return live.active ? displayed(figure, words) : show(figure);
}

const rowsAfter = ({ metrics }: RunDetails, former: readonly RunPart[]) => {
  const last = former.at(-1)?.rows.at(-1)?.step ?? 0;
  return metrics.filter(({ step }) => step > last);
};

/** Waits until the file has more rows, at most twenty looks. */
async function grown(reader: MetricsReader, every: number, over: () => boolean): Promise<void> {
  for (let look = 0; look < 20 && !over(); look++) {
    await new Promise((resolve) => setTimeout(resolve, every));
    if (await reader.hasGrown()) return;
  }
}

function statusLine(details: RunDetails): string {
  const { status, steps, validationLoss, strategy } = details;
  const loss = validationLoss === null ? "not validated yet" : `validation loss ${validationLoss.toFixed(5)}`;
  return [strategy.replaceAll("_", " "), status, `${steps} steps${ahead(details)}`, loss].join(", ");
}

/** Of how many, and how long that takes, once a whole epoch is there to tell. */
function ahead({ status, metrics, config, steps }: RunDetails): string {
  const rows = metrics.filter((row) => TRAINING_LOSS in row);
  const [first, last] = [rows[0], rows.at(-1)];
  if (status !== "running" || !first || !last || last.epoch === first.epoch) return "";
  const epoch = rows.filter((row) => row.epoch === last.epoch - 1);
  const planned =
    steps + (config.num_epochs - last.epoch) * epoch.length - rows.filter((row) => row.epoch === last.epoch).length;
  const between = Date.parse(last.time) - Date.parse(epoch[0].time);
  const left = ((planned - steps) * between) / (last.step - epoch[0].step) / 1000;
  return ` of ${planned} if no limit ends it, about ${durationText(left)} left`;
}
