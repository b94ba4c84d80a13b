/** The version of this program, from package.json. */
import { readFileSync } from "node:fs";

const manifest = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
) as { readonly version: string };

/** Semantic version. */
export const { version } = manifest;
