/**
 * Processes that build one folder together. They go through the same stages: one begins when all have ended the one before. Where a
 * process fails or a signal stops it, all end, with its error.
 */
import { setTimeout as pause } from "node:timers/promises";
import { AtmorepError } from "../../errors.js";
import { restored, type SentError, sent } from "./sentError.js";

/** What a team needs of the processes' communicator. */
export interface Voice {
  readonly rank: number;
  readonly size: number;
  /** every process's value, as JSON, in the order of the ranks; rejects once a process is lost */
  gather<T>(value: T): Promise<T[]>;
}

/** How the first process that failed did. */
export interface Failure {
  rank: number;
  error: SentError;
  /** the signal that stopped it, or null */
  signal: string | null;
  /** the same call can go on later */
  mendable: boolean;
}

export interface Stage<P> {
  /** does not end at a signal */
  finishes?: boolean;
  /** of an error in this process: the same call can go on later */
  mendable?: (error: unknown) => boolean;
  /** what the first process is told of this one while all work */
  progress?: () => P;
  heard?: (all: P[]) => void;
}

/** What a process says in each round; nothing while it works. */
interface Word<T, P> {
  value?: T;
  failure?: Failure;
  progress?: P;
}

/** Between two rounds, in which the processes tell each other how they are; whoever waits uses no core. */
const ROUND_MS = 200;

export class Team {
  /** how it ended; null while it has not */
  failure: Failure | null = null;
  /** a process hangs or is gone: there are no more rounds */
  isLost = false;

  /** @param signal that asks this process to stop */
  constructor(
    private readonly voice: Voice,
    private readonly signal: AbortSignal,
  ) {}

  get rank(): number {
    return this.voice.rank;
  }

  get size(): number {
    return this.voice.size;
  }

  /** It begins and finishes, and speaks for all. */
  get leads(): boolean {
    return this.voice.rank === 0;
  }

  /**
   * Every process calls it, each with its own work.
   * @param work ends soon once its signal comes
   * @returns what each process's gave, once all have ended
   * @throws the error of the first process that failed, in all of them, once the work of each has ended; what `gather` throws
   */
  async stage<T, P = null>(work: (signal: AbortSignal) => Promise<T>, how: Stage<P> = {}): Promise<T[]> {
    const { finishes = false, mendable = () => true, progress, heard } = how;
    const others = new AbortController();
    const signal = finishes ? others.signal : AbortSignal.any([this.signal, others.signal]);
    let word: Word<T, P> = {};
    let fault: unknown = new AtmorepError("failed", "stopped");
    const own = work(signal).then(
      (value) => {
        // what JSON keeps
        word = { value: (value ?? null) as T };
      },
      (error: unknown) => {
        fault = error;
        word = { failure: this.told(error, mendable(error)) };
      },
    );
    try {
      for (;;) {
        await Promise.race([own, pause(ROUND_MS)]);
        // also where this process waits for the others only
        if (!finishes && this.signal.aborted && !word.failure) word = { failure: this.told(fault, true) };
        const words = await this.voice.gather({ ...word, progress: progress?.() });
        heard?.(words.flatMap((other) => other.progress ?? []));
        const failure = words.find((other) => other.failure)?.failure;
        if (failure) return await this.end(failure, fault, own, others);
        if (words.every((other) => "value" in other)) return words.map((other) => other.value as T);
      }
    } catch (error) {
      this.isLost = this.failure === null;
      others.abort();
      await own;
      throw error;
    }
  }

  /** For a process that fails between two stages: the others end too. @returns the error of the first that failed */
  async fail(error: unknown): Promise<unknown> {
    if (this.failure || this.isLost) return error;
    try {
      const words = await this.voice.gather<Word<never, never>>({ failure: this.told(error, true) });
      const failure = words.find((other) => other.failure)?.failure as Failure;
      return await this.end(failure, error, Promise.resolve(), new AbortController());
    } catch (ended) {
      this.isLost = this.failure === null;
      return ended;
    }
  }

  /** Waits until the work of all has ended. @throws the error */
  private async end(failure: Failure, fault: unknown, own: Promise<void>, others: AbortController): Promise<never> {
    others.abort();
    await own;
    await this.voice.gather(null);
    this.failure = failure;
    throw failure.rank === this.rank ? fault : restored(failure.error);
  }

  private told(error: unknown, mendable: boolean): Failure {
    const signal = this.signal.aborted ? String(this.signal.reason) : null;
    return { rank: this.rank, error: sent(error), signal, mendable };
  }
}
