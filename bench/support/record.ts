/** Keeps docs/benchmarks.md: one section a bench, replaced as a whole when it is run with `--write`. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import type { Row } from "./report.ts";

const page = new URL("../../docs/benchmarks.md", import.meta.url);

const head = `# Benchmarks

Both sides of a comparison run in one process tree, in turn, pinned to cores where \`taskset\` is
there. CPU per successful request is the primary figure, ids are checked, medians are shown. The
machine has two cores, shared with others: trust ratios more than single figures. *Ref* is a bare
\`node:http\` + undici \`Pool.request\` proxy. A section is what its command printed last, with
\`npm run bench -- NAME --write\`.
`;

/** Writes the section of `name`. */
export function record(name: string, rows: readonly Row[]): void {
  const before = existsSync(page) ? readFileSync(page, "utf8") : head;
  const start = `<!-- ${name} -->`;
  const end = `<!-- end of ${name} -->`;
  const section = [start, ...bodyOf(name, rows), end].join("\n");
  const from = before.indexOf(start);
  const to = before.indexOf(end);
  const text =
    from < 0
      ? `${before.trimEnd()}\n\n${section}\n`
      : before.slice(0, from) + section + before.slice(to + end.length);
  writeFileSync(page, text);
}

function bodyOf(name: string, rows: readonly Row[]): readonly string[] {
  const day = new Date().toISOString().slice(0, 10);
  const machine = `${cpus()[0]?.model.trim() ?? "?"}, ${availableParallelism()} cores`;
  return [
    `## ${name}`,
    "",
    `\`npm run bench -- ${name}\` · ${day} · Node ${process.versions.node} · ${machine}`,
    "",
    "| case | value | baseline | ratio | bar | |",
    "|---|---|---|---|---|---|",
    ...rows.map((row) =>
      [
        "",
        cell(row.case),
        `${row.value} ${row.unit}${spread(row)}`,
        row.baseline === undefined ? "" : `${row.baseline} ${row.unit}`,
        row.ratio === undefined ? "" : `${row.ratio} ×`,
        cell(row.bar ?? ""),
        row.ok === undefined ? "" : row.ok ? "met" : "**missed**",
        "",
      ]
        .join(" | ")
        .trim(),
    ),
    "",
  ];
}

/** Worst and best round, where they are known. */
const spread = ({ best, worst }: Row): string =>
  best === undefined || worst === undefined ? "" : ` (${worst} … ${best})`;

const cell = (text: string): string => text.replaceAll("|", "\\|");
