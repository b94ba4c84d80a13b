/** What all arbitrary steps share. */
import fc from "fast-check";
import type { Json, Step } from "../scenario.ts";
import type { World } from "./world.ts";

/** Steps of one idea, for a given tree. */
export type Move = (world: World) => readonly Step[];

/** A number that picks from whatever list there is. */
export const pick = fc.nat(999);
/** Why a worker stops. */
export const reason = fc.constantFrom<Json>(
  "boom",
  "boom",
  "normal",
  "shutdown",
  ["shutdown", "x"],
  "killed",
);
