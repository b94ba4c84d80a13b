/** `paceline limits`: who calls and what is left. */
import type { LimitsReply } from "../../admin/limit-commands.ts";
import type { CallerView, QuotaView } from "../../views.ts";
import { askAndShow } from "../ask.ts";
import type { InstanceOptions } from "../options.ts";
import { clean, table } from "../terminal.ts";
import type { Paint, Terminal } from "../terminal.ts";

/** `paceline limits`. */
export function showLimits(options: InstanceOptions, terminal: Terminal): Promise<number> {
  return askAndShow(
    { cmd: "limits", args: {}, render: (reply: LimitsReply, paint: Paint) => textOf(reply, paint) },
    options,
    terminal,
  );
}

function textOf({ total, callers, providers }: LimitsReply, paint: Paint): string {
  const head = ["CALLER", "CALLS", "UNITS", "IN FLIGHT", "RATE LEFT", "DAY", "MONTH", "REFUSED"];
  const lines = callers.map((caller) => [
    clean(caller.id),
    String(caller.calls),
    String(Math.round(caller.units)),
    String(caller.inFlight),
    caller.rate === undefined ? "" : percent(caller.rate.left),
    quotaText(caller.day),
    quotaText(caller.month),
    refusedText(caller, paint),
  ]);
  const parts = [table(head, lines)];
  if (total > callers.length) parts.push(paint.dim(`${callers.length} of ${total} callers`));
  if (providers.length > 0) {
    const rows = providers.map(({ chain, provider, rate, quota }) => [
      `${clean(chain)}/${clean(provider)}`,
      rate === undefined ? "" : `${rate.perSec}/s`,
      rate === undefined ? "" : percent(rate.left),
      quotaText(quota),
    ]);
    parts.push("", table(["PROVIDER", "RATE", "RATE LEFT", "QUOTA"], rows));
  }
  return parts.join("\n");
}

const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;

const quotaText = (quota: QuotaView | undefined): string =>
  quota === undefined
    ? ""
    : `${Math.round(quota.used)} of ${quota.units} (${percent(quota.used / quota.units)})`;

function refusedText({ refused }: CallerView, paint: Paint): string {
  const parts = Object.entries(refused).filter(([, count]) => count > 0);
  const text = parts.map(([reason, count]) => `${count} ${reason}`).join(", ");
  return text === "" ? "" : paint.warn(text);
}
