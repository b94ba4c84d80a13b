/** `paceline regions` and `paceline names`. */
import type { SharedName } from "../../../cluster/protocol.ts";
import type { RegionsReport } from "../../regions/report.ts";
import { askAndShow } from "../ask.ts";
import type { InstanceOptions } from "../options.ts";
import { clean, table, type Paint, type Terminal } from "../terminal.ts";

/** `paceline regions`. */
export function showRegions(options: InstanceOptions, terminal: Terminal): Promise<number> {
  return askAndShow(
    {
      cmd: "regions",
      args: {},
      render: (reply: RegionsReport, paint: Paint) => textOf(reply, paint),
    },
    options,
    terminal,
  );
}

/** `paceline names`. */
export function showNames(
  prefix: string | undefined,
  options: InstanceOptions & { readonly region?: string; readonly limit?: number },
  terminal: Terminal,
): Promise<number> {
  const { region, limit, ...here } = options;
  const render = ({ names }: { readonly names: readonly SharedName[] }): string =>
    table(
      ["REGION", "NAME", "PID"],
      names.map((one) => [clean(one.region), clean(one.name), clean(one.pid)]),
    );
  return askAndShow({ cmd: "names", args: { prefix, region, limit }, render }, here, terminal);
}

const head = [
  "REGION",
  "STATE",
  "HEARD",
  "VERSION",
  "URL",
  "CHAINS",
  "PROVIDERS",
  "IN FLIGHT",
  "AWAY",
  "HELPS",
];

function textOf({ reason, regions, refused, help }: RegionsReport, paint: Paint): string {
  const lines = regions.map((one) => [
    one.self ? paint.bold(clean(one.region)) : clean(one.region),
    one.state === "joined" ? paint.good(one.state) : paint.warn(one.state),
    one.self ? "" : `${(one.age_ms / 1_000).toFixed(1)} s ago`,
    clean(one.version ?? ""),
    clean(one.url ?? ""),
    String(one.chains.length),
    one.providers === null ? "" : `${one.usable_providers ?? 0}/${one.providers}`,
    one.in_flight === null ? "" : String(one.in_flight),
    one.distance_ms === null ? "" : `${one.distance_ms} ms`,
    one.helps.map(clean).join(","),
    String(one.names),
    String(one.rows),
  ]);
  const parts = [table([...head, "NAMES", "ROWS"], lines)];
  if (reason !== null) parts.push(paint.warn(clean(reason)));
  const some = Object.entries(refused).filter(([, count]) => count > 0);
  if (some.length > 0) {
    const counts = some.map(([kind, count]) => `${count} ${clean(kind)}`).join(", ");
    parts.push(paint.dim(`messages refused: ${counts}`));
  }
  const helped = [
    ...Object.entries(help?.asked ?? {}).map(([who, count]) => `${count} asked of ${clean(who)}`),
    ...Object.entries(help?.given ?? {}).map(([who, count]) => `${count} served for ${clean(who)}`),
    ...Object.entries(help?.refused ?? {}).map(([why, count]) => `${count} refused: ${clean(why)}`),
  ];
  if (helped.length > 0) parts.push(paint.dim(`helped calls: ${helped.join(", ")}`));
  return parts.join("\n");
}
