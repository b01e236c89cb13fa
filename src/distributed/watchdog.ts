/**
 * Nobody waits for ever for a process that hangs or is gone: each process has a thread that says every few seconds that it
 * lives, and hears the others. MPI itself notices only processes that end, and not all libraries do.
 */
import { randomBytes } from "node:crypto";
import { hostname, networkInterfaces } from "node:os";
import { Worker } from "node:worker_threads";
import { AtmorepError } from "../errors.js";
import type { Communicator } from "./communicator.js";
import { type FromThread, PLACES, type Place, SLOTS, type ToThread, type WatchdogSetup } from "./watchdogMessages.js";

/** Seconds without a word after which a process counts as lost. */
const SILENCE_S = 25;
/** How much longer MPI_Init may take: queues start the processes of a job one after the other. */
const INIT_TIMES = 12;
/** To save what is there and say what happened. */
const LAST_WORDS_MS = 60_000;
/** For MPI_Abort, which may itself wait. */
const ABORT_MS = 3_000;

/**
 * Seconds of silence that `ATMOREP_WATCHDOG` asks for; null where it is `off`.
 * @throws AtmorepError (usage) for anything but `off` and numbers from 1 on
 */
export function askedSilence(env: Readonly<Record<string, string | undefined>> = process.env): number | null {
  const asked = env.ATMOREP_WATCHDOG ?? "";
  if (asked === "off") return null;
  if (asked === "") return SILENCE_S;
  const seconds = Number(asked);
  if (Number.isFinite(seconds) && seconds >= 1) return seconds;
  throw new AtmorepError("usage", "not a time of silence", {
    where: "ATMOREP_WATCHDOG",
    found: asked,
    expected: "seconds from 1 on, or off",
    fix: `Leave it out: ${SILENCE_S} s.`,
  });
}

/** A process's own thread that watches. */
export class Watchdog {
  private readonly slots = new Float64Array(new SharedArrayBuffer(8 * Object.keys(SLOTS).length));
  private readonly thread: Worker;
  private fail: (error: AtmorepError) => void = () => {};
  /** rejects once a process is lost */
  private readonly lost = new Promise<never>((_, reject) => {
    this.fail = reject;
  });

  /** @param silence seconds; started before MPI is, whose beginning it watches too */
  constructor(silence: number, place: Place) {
    this.slots[SLOTS.at] = PLACES.indexOf(place);
    this.lost.catch(() => {});
    const workerData: WatchdogSetup = {
      slots: this.slots.buffer as SharedArrayBuffer,
      silence: silence * 1000,
      initLimit: silence * 1000 * INIT_TIMES,
      host: hostname(),
    };
    this.thread = new Worker(new URL("./watchdogThread.js", import.meta.url), { workerData, execArgv: [] });
    this.thread.unref();
  }

  /**
   * Every process calls it once.
   * @returns `communicator`, whose calls end with an error once a process is lost, and what to tell where the threads
   *   do not find each other
   */
  async watch(communicator: Communicator): Promise<{ communicator: Communicator; warning: string | null }> {
    this.slots[SLOTS.joined] = 1;
    const { rank } = communicator;
    const hosts = await communicator.gather(hostname());
    const local = hosts.every((host) => host === hosts[0]);
    const token = randomBytes(16).toString("hex");
    const begun = rank === 0 ? await this.ask({ type: "listen", rank, token, local }) : null;
    const addresses = local ? ["127.0.0.1"] : ownAddresses();
    const found = await communicator.broadcast({ token, addresses, port: begun?.type === "ready" ? begun.port : 0 });
    const answer = begun ?? (await this.ask({ type: "connect", rank, ...found }));
    const faults = await communicator.gather(answer.type === "failed" ? answer.why : "");
    const fault = faults.findIndex((why) => why !== "");
    if (fault >= 0) {
      this.end();
      const warning = `processes that hang will not be noticed: process ${fault} is not reached (${faults[fault]})`;
      return { communicator, warning };
    }
    this.thread.on("message", (message: FromThread) => {
      if (message.type !== "lost") return;
      this.send({ type: "kill", after: LAST_WORDS_MS });
      this.fail(
        new AtmorepError("failed", message.text, {
          where: "several processes",
          fix: "Look at that machine and process; one that is killed often had not enough memory. What is saved goes on, of a run with any number of processes.",
        }),
      );
    });
    return { communicator: this.watched(communicator), warning: null };
  }

  private watched(inner: Communicator): Communicator {
    const during = <T>(work: Promise<T>): Promise<T> => {
      // what MPI still waits for once a process is lost is given up
      work.catch(() => {});
      return Promise.race([work, this.lost]);
    };
    return {
      ...inner,
      sum: (own, how) => during(inner.sum(own, how)),
      sumFast: (values) => during(inner.sumFast(values)),
      gatherParts: (values, ends, to) => during(inner.gatherParts(values, ends, to)),
      broadcast: (value) => during(inner.broadcast(value)),
      broadcastBytes: (bytes) => during(inner.broadcastBytes(bytes)),
      gather: (value) => during(inner.gather(value)),
      collect: (bytes) => during(inner.collect(bytes)),
      at: (step, place) => {
        this.slots[SLOTS.step] = step;
        this.slots[SLOTS.at] = PLACES.indexOf(place);
      },
      abort: (code) => {
        this.send({ type: "kill", after: ABORT_MS });
        inner.abort(code);
      },
      close: async () => {
        await during(inner.gather(null));
        this.end();
        await inner.close();
      },
    };
  }

  private end(): void {
    this.send({ type: "bye" });
  }

  private send(message: ToThread): void {
    this.thread.postMessage(message);
  }

  private ask(message: ToThread): Promise<FromThread> {
    return new Promise((resolve, reject) => {
      this.thread.once("message", resolve);
      this.thread.once("error", reject);
      this.send(message);
    });
  }
}

/** IPv4 addresses under which other machines may know this one. */
function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.filter(({ family, internal }) => family === "IPv4" && !internal).map(({ address }) => address);
}
