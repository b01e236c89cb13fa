/**
 * A run of an MLflow server, through its REST interface 2.0 (https://mlflow.org/docs/latest/rest-api.html). Numbers are sent
 * beside the training, which never waits for the server; what the server does not take is told at the end.
 * The environment is MLflow's own: MLFLOW_TRACKING_URI, MLFLOW_EXPERIMENT_NAME, MLFLOW_TRACKING_TOKEN or _USERNAME and _PASSWORD.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AtmorepError } from "../errors.js";
import { writeFileAtomic } from "../formats/atomic.js";
import { runFolder } from "../runs/folder.js";
import { madeOfDir } from "../runs/provenance.js";
import { grouped, type TrackedEnd, type TrackedRow, type TrackedRun, type Tracker } from "./tracker.js";

type Environment = Readonly<Record<string, string | undefined>>;

/** Limits of one request, by the interface's own page. */
const METRICS_A_REQUEST = 1000;
const PARAMS_A_REQUEST = 100;
const PARAM_LENGTH = 6000;
/** Numbers that wait for a server that is away; older ones go first. */
const MOST_WAITING = 200_000;
const PAUSE_MS = 1_000;
const REQUEST_MS = 10_000;
/** So long the end of a run waits for the rest. */
const LAST_MS = 20_000;
const STATUS: Record<TrackedEnd, string> = { finished: "FINISHED", interrupted: "KILLED", failed: "FAILED" };

/** @throws AtmorepError (config) without the address of a server */
export function trackingUri(env: Environment = process.env): string {
  const uri = env.MLFLOW_TRACKING_URI ?? "";
  if (/^https?:\/\/[^/]+/.test(uri)) return uri.replace(/\/+$/, "");
  throw new AtmorepError("config", "trackers names mlflow, and MLFLOW_TRACKING_URI no server", {
    where: "MLFLOW_TRACKING_URI",
    found: uri || "nothing",
    expected: "the address of an MLflow server, such as http://127.0.0.1:5000",
    fix: "Set it, or take mlflow out of trackers.",
  });
}

interface Metric {
  key: string;
  value: number;
  timestamp: number;
  step: number;
}

/**
 * @returns a tracker that fills a run of the experiment (default `atmorep`); a run that is continued in place goes on there
 * @throws Error if the server does not answer or refuses
 */
export async function mlflow(run: TrackedRun, env: Environment = process.env): Promise<Tracker> {
  const call = client(trackingUri(env), env);
  const known = join(madeOfDir(runFolder(run.out, run.id)), "mlflow.json");
  const runId = (await resumed(call, known)) ?? (await created(call, run, env, known));
  let waiting: Metric[] = [];
  let lost = 0;
  let fault = "";
  const send = async (deadline: number) => {
    while (waiting.length > 0 && Date.now() < deadline) {
      const metrics = waiting.slice(0, METRICS_A_REQUEST);
      await call("runs/log-batch", { run_id: runId, metrics });
      // meanwhile the oldest may have gone for want of room
      const last = waiting.indexOf(metrics[metrics.length - 1]);
      waiting = waiting.slice(last + 1);
    }
    fault = "";
  };
  let sending: Promise<void> | null = null;
  const sendSoon = () => {
    sending ??= new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      .then(() => send(Number.POSITIVE_INFINITY))
      .catch((error: Error) => {
        fault = error.message;
      })
      .finally(() => {
        sending = null;
      });
  };
  return {
    where: `MLflow: run ${runId} at ${trackingUri(env)}`,
    async row({ time, step, values }: TrackedRow) {
      for (const [series, value] of Object.entries(values)) {
        waiting.push({ key: grouped(series), value, timestamp: Math.round(time), step });
      }
      if (waiting.length > MOST_WAITING) {
        lost += waiting.length - MOST_WAITING;
        waiting = waiting.slice(-MOST_WAITING);
      }
      sendSoon();
    },
    async end(end) {
      const deadline = Date.now() + LAST_MS;
      await Promise.race([sending, new Promise((resolve) => setTimeout(resolve, LAST_MS).unref())]);
      for (;;) {
        try {
          await send(deadline);
          await call("runs/update", { run_id: runId, status: STATUS[end], end_time: Date.now() });
          break;
        } catch (error) {
          fault = (error as Error).message;
          if (Date.now() > deadline) break;
          await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        }
      }
      const missing = lost + waiting.length;
      if (missing > 0)
        throw new Error(`${missing} numbers did not reach the server: ${fault || "it was away for too long"}`);
      if (fault) throw new Error(`the end of the run did not reach the server: ${fault}`);
    },
  };
}

type Call = (path: string, body: object) => Promise<Record<string, unknown>>;

function client(uri: string, env: Environment): Call {
  const { MLFLOW_TRACKING_TOKEN: token, MLFLOW_TRACKING_USERNAME: user, MLFLOW_TRACKING_PASSWORD: password } = env;
  const authorization = token
    ? `Bearer ${token}`
    : user
      ? `Basic ${Buffer.from(`${user}:${password ?? ""}`).toString("base64")}`
      : null;
  return async (path, body) => {
    const response = await fetch(`${uri}/api/2.0/mlflow/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(authorization ? { authorization } : {}) },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    const text = (await response.text()).slice(0, 1 << 20);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text.slice(0, 200)}`);
    return JSON.parse(text || "{}") as Record<string, unknown>;
  };
}

/** The run of an earlier part of this run, if the server still has it. */
async function resumed(call: Call, known: string): Promise<string | null> {
  const text = await readFile(known, "utf8").catch(() => null);
  if (text === null) return null;
  try {
    const { run_id } = JSON.parse(text) as { run_id: string };
    await call("runs/update", { run_id, status: "RUNNING" });
    return run_id;
  } catch (error) {
    if (/RESOURCE_DOES_NOT_EXIST|not found/i.test((error as Error).message)) return null;
    throw error;
  }
}

async function created(call: Call, run: TrackedRun, env: Environment, known: string): Promise<string> {
  const experiment_id = await experiment(call, env.MLFLOW_EXPERIMENT_NAME || "atmorep");
  const tags = [
    { key: "mlflow.runName", value: run.id },
    { key: "mlflow.source.name", value: "atmorep train" },
    { key: "engine", value: run.engine },
  ];
  const answer = await call("runs/create", { experiment_id, run_name: run.id, start_time: run.began, tags });
  const { run_id } = (answer.run as { info: { run_id: string } }).info;
  const params = Object.entries(run.config).map(([key, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value ?? null);
    return { key, value: text.slice(0, PARAM_LENGTH) };
  });
  for (let at = 0; at < params.length; at += PARAMS_A_REQUEST) {
    await call("runs/log-batch", { run_id, params: params.slice(at, at + PARAMS_A_REQUEST) });
  }
  await writeFileAtomic(known, `${JSON.stringify({ run_id })}\n`);
  return run_id;
}

/** The experiment's id; of two that make it at once one is refused and finds the other's. */
async function experiment(call: Call, name: string): Promise<string> {
  const found = async () => {
    const answer = await call("experiments/search", {
      max_results: 1,
      filter: `name = '${name.replaceAll("'", "''")}'`,
    });
    return (answer.experiments as { experiment_id: string }[] | undefined)?.[0]?.experiment_id ?? null;
  };
  const known = await found();
  if (known !== null) return known;
  try {
    return (await call("experiments/create", { name })).experiment_id as string;
  } catch (error) {
    const other = await found();
    if (other === null) throw error;
    return other;
  }
}
