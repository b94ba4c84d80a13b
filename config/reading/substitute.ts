/**
 * `${VAR}`, `${VAR:-default}`, `${file:/path}` and `$$` in one text.
 *
 * It works on single values after YAML was parsed, so that a value cannot inject structure, and the
 * result is not scanned again.
 */

/** How a text reaches the outside; both are given, the loader itself touches nothing. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file of at most `maxBytes`; throws when it cannot be read. */
  readonly readFile: (path: string, maxBytes: number) => string;
}

/** Why a text could not be completed. */
export interface SubstitutionFault {
  readonly kind: "unset" | "unreadable" | "malformed";
  /** The variable, the file or the malformed piece's own kind of trouble. */
  readonly subject: string;
}

/** A completed text, and the pieces that were put in. */
export interface Substitution {
  readonly text: string;
  readonly inserted: readonly string[];
  readonly faults: readonly SubstitutionFault[];
}

/** Bytes of a file that `${file:…}` may name. */
export const MAX_FILE_BYTES = 65_536;

const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/;

/** Completes `text`; undefined when there is nothing to complete in it. */
export function substitute(text: string, around: Surroundings): Substitution | undefined {
  if (!text.includes("$")) return undefined;
  const inserted: string[] = [];
  const faults: SubstitutionFault[] = [];
  let result = "";
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf("$", at);
    if (dollar < 0) break;
    result += text.slice(at, dollar);
    const next = text[dollar + 1];
    if (next === "$") {
      result += "$";
      at = dollar + 2;
    } else if (next === "{") {
      const end = text.indexOf("}", dollar);
      if (end < 0) {
        faults.push({ kind: "malformed", subject: "a ${ without its }" });
        return { text: "", inserted, faults };
      }
      const piece = complete(text.slice(dollar + 2, end), around);
      if (typeof piece === "string") {
        inserted.push(piece);
        result += piece;
      } else faults.push(piece);
      at = end + 1;
    } else {
      result += "$";
      at = dollar + 1;
    }
  }
  return { text: result + text.slice(at), inserted, faults };
}

function complete(expression: string, around: Surroundings): string | SubstitutionFault {
  if (expression.startsWith("file:")) return fileText(expression.slice("file:".length), around);
  const match = VARIABLE.exec(expression);
  if (match?.[1] === undefined) {
    return {
      kind: "malformed",
      subject: "a ${…} that is none of ${VAR}, ${VAR:-default}, ${file:/path}",
    };
  }
  const [, name, fallback] = match;
  const value = Object.hasOwn(around.env, name) ? around.env[name] : undefined;
  if (fallback !== undefined) return value === undefined || value === "" ? fallback : value;
  return value ?? { kind: "unset", subject: name };
}

function fileText(path: string, around: Surroundings): string | SubstitutionFault {
  if (!path.startsWith("/")) {
    return { kind: "malformed", subject: "a ${file:…} whose path is not absolute" };
  }
  try {
    return around.readFile(path, MAX_FILE_BYTES).replace(/\r?\n$/, "");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    return { kind: "unreadable", subject: `${path} (${code})` };
  }
}
