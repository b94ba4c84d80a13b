/** One JSON log line as a person reads it on a terminal (pino-pretty would add 15 packages). */

const COLORS: Readonly<Record<string, string>> = {
  trace: "\u001b[90m",
  debug: "\u001b[36m",
  info: "\u001b[32m",
  warn: "\u001b[33m",
  error: "\u001b[31m",
  fatal: "\u001b[35m",
};
const DIM = "\u001b[2m";
const RESET = "\u001b[0m";
const HIDDEN = new Set(["level", "time", "msg", "region", "subsystem", "stack", "event"]);

/** `12:00:01.123 WARN  circuit_breaker.open chain=alpha provider_id=a` and, below, a stack. */
export function prettyLine(line: string, hasColor: boolean): string {
  let record: Record<string, unknown>;
  try {
    record = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const level = textOf(record["level"]);
  const paint = (code: string, text: string): string =>
    hasColor ? `${code}${text}${RESET}` : text;
  const fields = Object.entries(record)
    // Chain and provider say which process spoke, in fewer words.
    .filter(([key]) => !HIDDEN.has(key) && !(key === "process" && "chain" in record))
    .map(([key, value]) => ` ${paint(DIM, `${key}=`)}${valueOf(errorText(value) ?? value)}`)
    .join("");
  const time = textOf(record["time"]).slice(11, 23);
  const name = paint(COLORS[level] ?? "", level.toUpperCase().padEnd(5));
  return `${paint(DIM, time)} ${name} ${cleanOf(textOf(record["msg"]))}${fields}\n${stackOf(record)}`;
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** Control characters of foreign text must not drive the terminal. */
const cleanOf = (text: string): string =>
  // oxlint-disable-next-line no-control-regex
  text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, " ");

const valueOf = (value: unknown): string => {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return /^[\w.:/#%+@-]+$/.test(text) ? text : cleanOf(JSON.stringify(value) ?? "");
};

/** `TypeError: message` for an error that was logged, undefined for any other value. */
function errorText(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !("stack" in value)) return undefined;
  const { type, message } = value as { readonly type?: unknown; readonly message?: unknown };
  return `${textOf(type)}: ${textOf(message)}`;
}

function stackOf(record: Record<string, unknown>): string {
  const holder = Object.values(record).find((value) => errorText(value) !== undefined);
  const stack =
    textOf(record["stack"]) || textOf((holder as { stack?: unknown } | undefined)?.stack);
  if (stack === "") return "";
  const lines = stack.split("\n").map((line) => `    ${cleanOf(line.trim())}`);
  return `${lines.slice(0, 12).join("\n")}\n`;
}
