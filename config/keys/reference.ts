/** The generated forms of the configuration: a JSON schema for editors, a page for readers. */
import { z } from "zod";
import { documentSchema } from "./document.ts";
import { documentedKeys } from "./walk.ts";
import type { DocumentedKey } from "./walk.ts";

/** The JSON schema of the file; a substitution is accepted wherever a single value is. */
export function configJsonSchema(): JsonSchema {
  return forEditors(z.toJSONSchema(documentSchema, { io: "input" }) as JsonSchema);
}

/** The part of JSON Schema that is rewritten here. */
export interface JsonSchema {
  [key: string]: unknown;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  additionalProperties?: JsonSchema | boolean;
  anyOf?: readonly JsonSchema[];
}

const SUBSTITUTION: JsonSchema = { type: "string", pattern: "\\$\\{" };
/** Says something about the value's shape; the rest says what the key means. */
const SHAPE = ["type", "enum", "pattern", "minimum", "maximum", "minLength"];

function forEditors(schema: JsonSchema): JsonSchema {
  const { "x-expects": _expects, "x-secret": _secret, ...said } = schema;
  const { type, properties, items, additionalProperties } = said;
  if (type === "object" || type === "array") {
    return {
      ...said,
      ...(properties && { properties: mapValues(properties, forEditors) }),
      ...(items && { items: forEditors(items) }),
      ...(typeof additionalProperties === "object" && {
        additionalProperties: forEditors(additionalProperties),
      }),
    };
  }
  if (said.anyOf !== undefined) return { ...said, anyOf: [...said.anyOf, SUBSTITUTION] };
  if (type === "string" && said["enum"] === undefined && said["pattern"] === undefined) return said;
  const entries = Object.entries(said);
  const shape = Object.fromEntries(entries.filter(([key]) => SHAPE.includes(key)));
  const meaning = Object.fromEntries(entries.filter(([key]) => !SHAPE.includes(key)));
  return { ...meaning, anyOf: [shape, SUBSTITUTION] };
}

function mapValues<A, B>(record: Record<string, A>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

/** The page `docs/config.md`. */
export function configPage(): string {
  const keys = documentedKeys();
  const sections: readonly [string, string, (path: string) => boolean][] = [
    ["Host", "Keys of the whole instance.", (path) => !path.startsWith("chains")],
    [
      "Chain",
      "Keys below `chains.<name>`.",
      (path) => path.startsWith(CHAIN) && !path.startsWith(PROVIDER),
    ],
    [
      "Provider",
      "Keys of an item of `chains.<name>.providers`.",
      (path) => path.startsWith(PROVIDER),
    ],
  ];
  const tables = sections.map(([title, text, isMember]) => {
    const rows = keys.filter(({ path, kind }) => isMember(path) && kind !== "map").map(row);
    return `## ${title}\n\n${text}\n\n| Key | Meaning | Value | Default | Reload |\n|---|---|---|---|---|\n${rows.join("\n")}\n`;
  });
  return `${INTRODUCTION}\n${tables.join("\n")}`;
}

const CHAIN = "chains.<name>.";
const PROVIDER = "chains.<name>.providers[].";

function row({ path, meta, isRequired }: DocumentedKey): string {
  const name = path.startsWith(PROVIDER)
    ? path.slice(PROVIDER.length)
    : path.startsWith(CHAIN)
      ? path.slice(CHAIN.length)
      : path;
  const fallback =
    meta.default === undefined
      ? isRequired
        ? "required"
        : ""
      : `\`${JSON.stringify(meta.default)}\``;
  const cells = [
    `\`${name}\``,
    meta.description,
    meta["x-expects"] ?? "",
    fallback,
    meta["x-reload"] ?? "",
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

const INTRODUCTION = `# Configuration

One YAML file: \`--config FILE\`, else \`PACELINE_CONFIG\`, else \`./paceline.yaml\`. Without one the
embedded demo runs. This page is generated from \`config/keys/\`; \`paceline config schema\` prints
the same as a JSON schema, for editors:

\`\`\`yaml
# yaml-language-server: $schema=./node_modules/paceline/config/schema.json
\`\`\`

- **Strict.** Unknown and duplicate keys, wrong types and colliding names are errors with
  \`file:line:column\`, all at once. \`paceline config validate\` shows them; exit code 78.
- **Units.** Durations are \`500ms\`, \`2s\`, \`5m\`, \`1h\`, \`1d\` or a whole number of milliseconds. Sizes
  carry a unit: \`B\`, \`KiB\`, \`MiB\`, \`GiB\`. Ratios are 0..1.
- **Substitution** in single values, after parsing: \`\${VAR}\`, \`\${VAR:-default}\` (also when \`VAR\` is
  empty), \`\${file:/path}\` (at most 64 KiB, final newline dropped), \`$$\` for a dollar sign. Results are not
  scanned again. An unset variable without default is an error, except in a provider's \`url\` or \`ws_url\`:
  that URL is left out with a warning, and the provider with it when it has no other, unless it says
  \`required: true\`.
- **Precedence** per value: flag, environment, file, default. \`PACELINE__DRAIN__TIMEOUT=20s\` sets
  \`drain.timeout\`; two underscores separate levels, chains and providers go by name:
  \`PACELINE__CHAINS__ETHEREUM__PROVIDERS__ALCHEMY__PRIORITY=1\`. An unknown \`PACELINE__\` variable is an error.
  The port is \`--port\`, else \`PACELINE__LISTEN__PORT\`, \`API_PORT\`, \`PORT\`, else the file; the region
  \`PACELINE__REGION\`, \`PACELINE_REGION\`, \`LIVECHAIN_REGION\`, else the file.
- **Secrets** (URLs, header values) are shown as their host and a 4-character fingerprint, everywhere.
- **Reload** (\`paceline reload\`, SIGHUP): \`hot\` swaps a value, \`process\` restarts only the processes that
  hold it, \`host\` needs a new start and refuses the reload as a whole. \`paceline config diff\` shows the plan.
`;
