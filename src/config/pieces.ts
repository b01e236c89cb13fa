/** Kinds and limits that several keys share. */
import { ATTENTION_NAMES } from "./attention.js";
import { choice, either, integer, list, nullable, place, real, text, tuple } from "./kinds.js";
import { because, formatBytes, type Limit, memory, time } from "./limits.js";
import { RUN_ID } from "./runId.js";

export const SEED = nullable(integer(0));
export const ATTENTION = choice(...ATTENTION_NAMES);
export const RATE = real({ min: 0, max: 1 });
export const PERIODS = nullable(list(tuple([place("start", text()), place("end", text())]), 1, { most: 4096 }));
const LATITUDE = real({ min: -90, max: 90 });
const LONGITUDE = real({ min: -360, max: 720 });
export const BOX = tuple([
  place("latitudes", tuple([place("south", LATITUDE), place("north", LATITUDE)])),
  place("longitudes", tuple([place("west", LONGITUDE), place("east", LONGITUDE)])),
]);
/** A point, [latitude, longitude] in degrees. */
export const POINT = tuple([place("lat", LATITUDE), place("lon", LONGITUDE)]);

/** Bytes of a weight with its gradient and both moments of AdamW. */
const WEIGHT = 16;
/** Weights of an attention block and an MLP of two layers. */
const layerWeights = (width: number) => 12 * width * width;
/** A network that is smaller than any that learns something: its costs are lower bounds of all others'. */
const SMALL = 32;

const STATE = "weights, gradients and moments";
export const LAYERS = memory(4096, WEIGHT * layerWeights(SMALL), `${STATE} at an embedding width of ${SMALL}`);
export const MLP_LAYERS = memory(1024, WEIGHT * 4 * SMALL * SMALL, `${STATE} of each MLP at a width of ${SMALL}`);
export const MEMBERS = memory(16_384, WEIGHT * SMALL, `${STATE} at a width of ${SMALL} and one point a token`);
export const HEADS = because(65_536, "each head needs a channel of the embedding, and no embedding is that wide");
const WIDTH: Limit = {
  most: 65_536,
  needs: (width) => `one layer would need at least ${formatBytes(WEIGHT * layerWeights(width))} of memory for ${STATE}`,
};

export const TOKENS = memory(
  65_536,
  4 * SMALL * 17,
  `what one layer of width ${SMALL} keeps of one such row of tokens`,
);
export const POINTS = memory(65_536, WEIGHT * SMALL, `${STATE} of the embedding of a token at a width of ${SMALL}`);
export const LEVEL = because(1_000_000, "levels are numbers of model levels (1 to 137) or pressures");
export const BATCH = memory(16_384, 4 * SMALL * 17, "what one layer keeps of one token of each sample");
/** A sample of an epoch is drawn before the epoch begins: two numbers, a pair, its place in a batch. */
export const SAMPLES = memory(
  10_000_000,
  80,
  "the list of places that an epoch draws (more epochs need no more memory)",
);
export const SAMPLES_PER_TIME: Limit = { ...SAMPLES, most: 65_536 };
export const STEPS = memory(1_000_000, 4, "one grid point of the cube of each sample");
/** The shortest epoch holds one batch. */
export const EPOCHS = time(1_000_000, 0.01, "a step of the smallest network takes 10 ms");
export const BATCHES = time(1_000_000_000, 0.01, "a batch of the smallest network takes 10 ms");
export const ACCUMULATED = time(1_000_000, 0.01, "each batch of a step takes at least 10 ms");
export const DEGREES = because(1000, "the globe has 360 degrees");
export const PROCESSES = memory(1_000_000, 50 * 2 ** 20, "the processes, each with its own Node.js");
export const WORKERS = memory(1024, 20 * 2 ** 20, "the workers, each with its own JavaScript engine");
const DEVICES = because(4096, "no machine has that many devices");
export const ACCELERATORS = because(4096, "no process has that many");
export const YEAR = because(9999, "ISO times have years of four digits");
/** Largest value that single precision squares without overflow. */
export const FACTOR = because(1e19, "its square is no number in single precision");
export const LEARNING_RATE = because(1000, "a step of AdamW changes every weight by about the learning rate");

const RUN = tuple([place("runId", text(RUN_ID, "a run id (8 of a-z, 0-9)")), place("epoch", integer(-2, EPOCHS))]);
const EMBEDDING = tuple(
  [
    place("dynamic", choice(0, 1)),
    place("width", integer(1, WIDTH)),
    place("coupled", list(text(), 0, { unique: true, most: 256 })),
    place("device", either(integer(undefined, DEVICES), text())),
  ],
  place("pretrained", RUN),
);
const COUNT = integer(1, TOKENS);
const SIZE = integer(1, POINTS);

/** One entry of `fields` as it stands in the file: positional, as in the reference. */
export const FIELD = tuple(
  [
    place("name", text(/^[^/\\\s]+$/, "a name without blanks or slashes")),
    place("embedding", EMBEDDING),
    place("levels", list(integer(0, LEVEL), 1, { unique: true })),
    place("numTokens", tuple([place("nt", COUNT), place("ny", COUNT), place("nx", COUNT)])),
    place("tokenSize", tuple([place("tt", SIZE), place("ty", SIZE), place("tx", SIZE)])),
    place("rates", tuple([place("total", RATE), place("mask", RATE), place("noise", RATE), place("coarse", RATE)])),
  ],
  place("normalization", choice("global", "local")),
);
