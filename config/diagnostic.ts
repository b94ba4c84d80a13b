/** What the loader has to say about a configuration, and where it says it. */

/** Steps from the root of the document: keys and list positions. */
export type Path = readonly (string | number)[];

/** Where an effective value comes from. */
export type Origin =
  | { readonly kind: "default" }
  | { readonly kind: "file"; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: "env"; readonly name: string }
  | { readonly kind: "flag"; readonly name: string };

/** Kinds of findings. */
export type DiagnosticCode =
  | "CONFIG_YAML"
  | "CONFIG_TOO_LARGE"
  | "CONFIG_UNKNOWN_KEY"
  | "CONFIG_DUPLICATE_KEY"
  | "CONFIG_MISSING_KEY"
  | "CONFIG_WRONG_TYPE"
  | "CONFIG_BAD_VALUE"
  | "CONFIG_DUPLICATE_NAME"
  | "CONFIG_RESERVED_NAME"
  | "CONFIG_UNSET_VARIABLE"
  | "CONFIG_BAD_SUBSTITUTION"
  | "CONFIG_UNREADABLE_FILE"
  | "CONFIG_UNKNOWN_OVERRIDE"
  | "CONFIG_PROVIDER_LEFT_OUT"
  | "CONFIG_NO_PROVIDER"
  | "CONFIG_SHARED_CHAIN_ID";

/** One finding. Messages never quote a value that could be a secret. */
export interface Diagnostic {
  readonly severity: "error" | "warning";
  readonly code: DiagnosticCode;
  /** Dotted path of the key, empty for the document itself. */
  readonly path: string;
  readonly message: string;
  readonly origin: Origin;
}

/** An error unless said otherwise. */
export function diagnostic(
  code: DiagnosticCode,
  path: Path,
  message: string,
  origin: Origin,
  severity: Diagnostic["severity"] = "error",
): Diagnostic {
  return { severity, code, path: formatPath(path), message, origin };
}

/** `chains.ethereum.providers[0].url`; keys with odd characters are quoted. */
export function formatPath(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (!PLAIN_KEY.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}

const PLAIN_KEY = /^[\w.\-/*<>:@]+$/;

/** `default`, `paceline.yaml:3:7`, `env:PORT` or `flag:--port`. */
export function formatOrigin(origin: Origin): string {
  switch (origin.kind) {
    case "default":
      return "default";
    case "file":
      return `${origin.file}:${origin.line}:${origin.column}`;
    default:
      return `${origin.kind}:${origin.name}`;
  }
}

/** One line as compilers write it. */
export function formatDiagnostic(found: Diagnostic): string {
  const subject = found.path === "" ? "" : `${found.path}: `;
  return `${formatOrigin(found.origin)}: ${found.severity} ${found.code}: ${subject}${found.message}`;
}
