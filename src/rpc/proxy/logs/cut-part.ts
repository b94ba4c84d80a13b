/** Cuts a part that somebody refused as too much, and tells of it. */
import type { LogsPlan, Part } from "../../logs/plan.ts";
import type { Attempt } from "../attempt/attempt.ts";
import type { LogsNote } from "./logs-note.ts";
import type { LogsRecord } from "./logs-record.ts";
import { refusalOf } from "./refusals.ts";
import type { Takers } from "./takers.ts";

/** The call that the part belongs to. */
interface CutContext {
  readonly record: LogsRecord;
  readonly plan: LogsPlan;
  readonly takers: Takers;
  readonly note: LogsNote;
}

/** Cuts the part when its attempts say that it is too much; false when that is not the matter. */
export function cutPart(
  { record, plan, takers, note }: CutContext,
  part: Part,
  attempts: readonly Attempt[],
): boolean {
  const refused = refusalOf(attempts);
  if (refused === undefined) return false;
  const { chain, requestId } = record;
  const { emit } = record.engine.deps;
  const { fromBlock, toBlock } = part.slice;
  const range = toBlock - fromBlock + 1;
  const { provider } = refused.attempt;
  if (refused.of === "range") {
    const limit = Math.min(refused.blocks ?? Math.floor(range / 2), Math.max(1, range - 1));
    takers.narrow(provider, limit);
    emit("getlogs.limit_learned", { chain, requestId, provider, limit });
  }
  const by = plan.refuse(part, refused);
  if (by === undefined) return false;
  note.add(part.slice, provider, `split by ${by}`);
  const span = { firstBlock: fromBlock, lastBlock: toBlock };
  emit("getlogs.split", { chain, requestId, provider, by, ...span });
  return true;
}

/** Tells that a range is asked for in parts, about so many. */
export function tellPlanned(record: LogsRecord, plan: LogsPlan, parts: number): void {
  const { chain, requestId } = record;
  const { emit } = record.engine.deps;
  const span = { firstBlock: plan.fromBlock, lastBlock: plan.toBlock };
  emit("getlogs.planned", { chain, requestId, ...span, parts });
}
