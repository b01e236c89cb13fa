/**
 * Prints a run's events. With `log` short, the short screen goes to standard output; with reference, standard output holds
 * the reference's log lines and the screen goes to standard error. A progress bar stands below it where standard error is a
 * terminal. With `json`, standard output holds only the events, one JSON line each.
 */
import type { RunConfig } from "../../config/types.js";
import type { FieldSkill, TrainEvent } from "../../runs/events.js";
import { shown, shownJson } from "../../shown.js";
import { finalLines, openingLines, progressBar, startedLines, stepText, validatedText } from "./screen.js";

const LINE_EVERY_MS = 1000;
const BAR_EVERY_MS = 100;

export class TrainPrinter {
  private planned = 0;
  private firstStep = 1;
  private batchSize = 1;
  private skill: FieldSkill[] = [];
  private lastLine = 0;
  private lastBar = 0;
  private barShown = false;
  private startedAt = Date.now();

  constructor(
    private readonly options: {
      json: boolean;
      log: "short" | "reference";
      deadline: number | null;
      commands: (runId: string) => string[];
    },
  ) {}

  /** Says at once what is about to be trained: reading data and scoring the baselines takes a moment. */
  begin(config: RunConfig): void {
    if (!this.options.json) for (const line of openingLines(config)) this.say(line);
  }

  handle(event: TrainEvent): void {
    if (this.options.json) {
      process.stdout.write(`${shownJson(event)}\n`);
      return;
    }
    switch (event.type) {
      case "started":
        this.planned = event.plannedSteps;
        this.firstStep = event.firstStep;
        this.batchSize = event.config.batch_size * event.config.grad_accumulation;
        this.skill = event.baselines;
        this.startedAt = Date.now();
        for (const line of startedLines(event)) this.say(line);
        break;
      case "step":
        this.step(event);
        break;
      case "validated":
        this.skill = event.skill;
        this.say(validatedText(event));
        break;
      case "warning":
        this.clearBar();
        process.stderr.write(`warning: ${shown(event.message)}\n`);
        break;
      case "console":
        if (this.options.log === "reference") this.reference(event.line);
        break;
      case "finished":
        this.say("");
        for (const line of finalLines(event, this.options.commands(event.runId))) this.say(line);
        break;
    }
  }

  private step(event: TrainEvent & { type: "step" }): void {
    const now = Date.now();
    const done = event.step - this.firstStep + 1;
    const left = ((now - this.startedAt) / done) * Math.max(0, this.planned - event.step);
    const untilDeadline = this.options.deadline === null ? Infinity : Math.max(0, this.options.deadline - now);
    const remaining = Math.min(left, untilDeadline);
    if (now - this.lastLine >= LINE_EVERY_MS) {
      this.lastLine = now;
      this.say(stepText(event, this.planned, this.skill, remaining));
    }
    if (process.stderr.isTTY && now - this.lastBar >= BAR_EVERY_MS) {
      this.lastBar = now;
      const perSecond = (done * this.batchSize * 1000) / Math.max(1, now - this.startedAt);
      process.stderr.write(
        `\r\x1b[K${progressBar(event, this.planned, perSecond, remaining, process.stderr.columns ?? 100)}`,
      );
      this.barShown = true;
    }
  }

  /** Leaves the terminal clean, whatever ended the run. */
  end(): void {
    this.clearBar();
  }

  private clearBar(): void {
    if (this.barShown) process.stderr.write("\r\x1b[K");
    this.barShown = false;
  }

  private reference(line: string): void {
    if (process.stdout.isTTY) this.clearBar();
    process.stdout.write(`${shown(line)}\n`);
  }

  private say(line: string): void {
    this.clearBar();
    (this.options.log === "short" ? process.stdout : process.stderr).write(`${shown(line)}\n`);
  }
}
