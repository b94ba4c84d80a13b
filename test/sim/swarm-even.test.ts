/** The whole program against the even seeds of the swarm. */
import { describe } from "vitest";
import { claimSeeds } from "./seeds.ts";

describe("the whole tree under even seeds", () => claimSeeds(0));
