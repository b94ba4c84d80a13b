/** Where a verb prints: stdout for what was asked for, stderr for everything else. */

/** The surroundings of one run of the command line. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly isTty: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Text of a file of at most `maxBytes`; throws an error with a `code`. */
  readonly readFile: (path: string, maxBytes: number) => string;
}

/** Marks for people; plain text where colour is not wanted. */
export interface Paint {
  readonly dim: (text: string) => string;
  readonly bold: (text: string) => string;
  readonly good: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly bad: (text: string) => string;
}

/** Colours on a terminal only, and never with a non-empty `NO_COLOR` (no-color.org). */
export function paintFor(terminal: Terminal): Paint {
  const hasColor = terminal.isTty && (terminal.env["NO_COLOR"] ?? "") === "";
  const sgr =
    (code: number) =>
    (text: string): string =>
      hasColor && text !== "" ? `\u001B[${code}m${text}\u001B[0m` : text;
  return { dim: sgr(2), bold: sgr(1), good: sgr(32), warn: sgr(33), bad: sgr(31) };
}

// oxlint-disable-next-line no-control-regex -- the escape sequences written above
const SGR = /\u001B\[\d+m/g;

/** Columns wide enough for their content, two spaces apart; colours take no width. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => visibleLength(row[at] ?? ""))),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => cell + " ".repeat(Math.max(0, (widths[at] ?? 0) - visibleLength(cell))))
      .join("  ")
      .trimEnd();
  return [head, ...rows].map(line).join("\n");
}

function visibleLength(text: string): number {
  return text.replaceAll(SGR, "").length;
}

/** Control characters in names or reasons of others must not reach the terminal. */
export function clean(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  // oxlint-disable-next-line no-control-regex -- they are what is taken out
  return (text ?? "").replaceAll(/[\u0000-\u001F\u007F-\u009F]/g, " ");
}
