/** The params of a call, parsed: for services that answer by themselves. */
import type { Call } from "./call.ts";

/** The params as they stood, and their list; empty when there are none, or no list of them. */
export function paramsOf({ body, envelope }: Call): {
  readonly list: readonly unknown[];
  readonly text: string;
} {
  if (envelope.paramsStart < 0) return { list: [], text: "" };
  const text = body.toString("utf8", envelope.paramsStart, envelope.paramsEnd);
  const params: unknown = JSON.parse(text);
  return { list: Array.isArray(params) ? (params as unknown[]) : [], text };
}
