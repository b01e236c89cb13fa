/** Two processes that train one model, through MPICH's mpirun. */
import { describe } from "vitest";
import { describeTraining, installed, MPICH } from "./training.js";

describe.skipIf(!installed(MPICH))("MPICH", () => describeTraining(MPICH));
