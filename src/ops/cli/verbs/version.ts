/** `paceline version`. */
import { readFileSync } from "node:fs";
import { askAndShow } from "../ask.ts";
import { EXIT } from "../exit-codes.ts";
import type { InstanceOptions } from "../options.ts";
import { renderRecord } from "../render.ts";
import type { Terminal } from "../terminal.ts";

/** Prints the versions of this program, or what runs. */
export function showVersion(
  options: InstanceOptions & { readonly running?: boolean },
  terminal: Terminal,
): Promise<number> | number {
  if (options.running === true || options.region !== undefined) {
    return askAndShow({ cmd: "version", render: renderRecord }, options, terminal);
  }
  const versions = { paceline: packageVersion(), node: process.versions.node };
  const text =
    options.json === true
      ? JSON.stringify(versions, null, 2)
      : `paceline ${versions.paceline} (node ${versions.node})`;
  terminal.out(`${text}\n`);
  return EXIT.done;
}

function packageVersion(): string {
  const file = new URL("../../../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { readonly version: string }).version;
}
