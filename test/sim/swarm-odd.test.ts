/** The whole program against the odd seeds of the swarm. */
import { describe } from "vitest";
import { claimSeeds } from "./seeds.ts";

describe("the whole tree under odd seeds", () => claimSeeds(1));
