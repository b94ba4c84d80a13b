/** The list of invariants. */
import { answeredOnce } from "./answered-once.ts";
import { availability } from "./availability.ts";
import { breakers } from "./breakers.ts";
import { budgets } from "./budgets.ts";
import type { Invariant } from "./invariant.ts";
import { keptAnswers } from "./kept-answers.ts";
import { memory } from "./memory.ts";
import { names } from "./names.ts";
import { noLies } from "./no-lies.ts";
import { noOrphans } from "./no-orphans.ts";
import { quietLog } from "./quiet-log.ts";
import { recovery } from "./recovery.ts";
import { shape } from "./shape.ts";
import { streams } from "./streams.ts";
import { writes } from "./writes.ts";
import { zombies } from "./zombies.ts";

/** Every rule that a run is judged by. */
export const INVARIANTS: readonly Invariant[] = [
  answeredOnce,
  availability,
  noLies,
  noOrphans,
  shape,
  budgets,
  breakers,
  memory,
  streams,
  writes,
  keptAnswers,
  names,
  recovery,
  zombies,
  quietLog,
];
