/** What is known of a call that providers were asked for: by one exchange, or by several. */
import type { MethodInfo } from "../json-rpc/methods.ts";
import type { Ranking } from "../selection/snapshot.ts";
import type { Attempt } from "./attempt/attempt.ts";
import type { Call, CallFacts } from "./call.ts";
import type { Engine } from "./engine.ts";

/** The record behind headers, explanations and errors. */
export interface CallRecord extends CallFacts {
  readonly engine: Engine;
  readonly call: Call;
  readonly info: MethodInfo;
  readonly attempts: readonly Attempt[];
  readonly ranking: Ranking | undefined;
}
