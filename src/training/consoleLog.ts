/** The reference's log of a run: lines go to `console.log` and, as events, to whoever watches. */
import { appendFile, writeFile } from "node:fs/promises";
import { consoleLines } from "../config/text/files.js";
import { countParameters } from "../model/index.js";
import type { Validation } from "../prediction/validation.js";
import { epochLine, finishedLine, lineIsDue, parametersLine, stepLine, validationLines } from "../runs/console.js";
import type { ConsoleEvent, Series } from "../runs/events.js";
import { GRADIENT_LOSS, spreadSeries, TRAINING_LOSS } from "../runs/series.js";
import { emptySums, type Session } from "./session.js";

export class ConsoleLog {
  private lineAt = Date.now();

  constructor(private readonly session: Session) {}

  /** The configuration and the number of parameters; starts the file, unless the run goes on in place. */
  async *header(): AsyncGenerator<ConsoleEvent> {
    const { config, folder, model, options } = this.session;
    if (this.session.writes && !(options.inPlace && options.continue)) await writeFile(folder.console, "");
    yield* this.write([...consoleLines(config), parametersLine(countParameters(model.spec))]);
  }

  async *epoch(learningRate: number): AsyncGenerator<ConsoleEvent> {
    const { config, progress } = this.session;
    this.lineAt = Date.now();
    yield* this.write([epochLine(progress.epoch, new Date(), config.batch_size, learningRate)]);
  }

  /** Counts one step; prints a line every eight samples, averaged over the batches since the last line. */
  async *step(series: Series, batches: number): AsyncGenerator<ConsoleEvent> {
    const { config, progress, predicted } = this.session;
    const sums = progress.console;
    sums.batches += 1;
    sums.total += series[GRADIENT_LOSS];
    sums.mse += series[TRAINING_LOSS];
    const k = progress.batch - 1;
    if (!lineIsDue(k, config.batch_size, sums.printed)) return;
    const now = Date.now();
    const seconds = Math.max(1e-3, (now - this.lineAt) / 1000);
    const line = stepLine({
      epoch: progress.epoch,
      k,
      batches,
      total: sums.total / sums.batches,
      mse: sums.mse / sums.batches,
      spread: series[spreadSeries(predicted[0].field.name)] ?? Number.NaN,
      samplesPerSecond: config.batch_size / seconds,
    });
    this.lineAt = now;
    progress.console = { ...emptySums(), printed: sums.printed + 1 };
    yield* this.write([line]);
  }

  async *validated({ loss, losses }: Validation): AsyncGenerator<ConsoleEvent> {
    const { config, progress } = this.session;
    const fields = Object.entries(losses).map(([name, value]) => ({ name, loss: value }));
    yield* this.write(validationLines(config.BERT_strategy, progress.epoch, loss, fields));
  }

  async *finished(loss: number | null): AsyncGenerator<ConsoleEvent> {
    if (loss !== null) yield* this.write([finishedLine(new Date(), loss)]);
  }

  private async *write(lines: readonly string[]): AsyncGenerator<ConsoleEvent> {
    if (!this.session.writes) return;
    await appendFile(this.session.folder.console, lines.map((line) => `${line}\n`).join(""));
    for (const line of lines) yield { type: "console", line };
  }
}
