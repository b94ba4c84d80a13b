/**
 * What the headers of a request or of a handshake ask for: directives, the client's own request id,
 * and whether the body claims to be JSON. One pass over the raw list, no object of headers.
 */
import type { CallOptions } from "../call.ts";
import { DIRECTIVE_PREFIX, direct, directiveName, directiveReason } from "./directives.ts";
import type { RouteFault } from "./route.ts";

/** Options with the directives of the headers applied, or what is wrong with one. */
export function readHeaders(
  rawHeaders: readonly string[],
  url: string,
  options: CallOptions,
  mustBeJson: boolean,
  mayDirect = true,
): CallOptions | RouteFault {
  let directed = options;
  let clientRequestId: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const { length } = name;
    if (length === 12) {
      const isType = mustBeJson && name.toLowerCase() === "content-type";
      if (isType && !isJson(rawHeaders[index + 1] as string)) {
        return { reason: "not_json", message: "the content type must be application/json" };
      }
    } else if (
      length > DIRECTIVE_PREFIX.length &&
      (name.charCodeAt(0) | 0x20) === 0x78 &&
      name.toLowerCase().startsWith(DIRECTIVE_PREFIX)
    ) {
      const directive = directiveName(name.slice(DIRECTIVE_PREFIX.length));
      const value = rawHeaders[index + 1] as string;
      if (directive === "request-id") {
        if (REQUEST_ID.test(value)) clientRequestId = value;
        continue;
      }
      // Where such calls are taken, the front has looked at them before anything else.
      if (directive === "help") return { reason: "help_refused", message: NO_GUESTS };
      if (!mayDirect || hasQuery(url, directive)) continue;
      const applied = direct(directed, directive, value);
      if (typeof applied === "string") {
        return { reason: directiveReason(directive), message: applied };
      }
      directed = applied;
    }
  }
  return clientRequestId === undefined ? directed : { ...directed, clientRequestId };
}

const NO_GUESTS = "calls that another region passes on are not taken here";

/** A client's own request id; one that is longer or holds anything else is not taken note of. */
const REQUEST_ID = /^[\w.:@/+=-]{1,64}$/;

function isJson(contentType: string): boolean {
  return (
    contentType === "application/json" ||
    (/^application\/(json|json-rpc|jsonrequest)\s*(;|$)/i.test(contentType) &&
      // RFC 8259 section 8.1: JSON that is exchanged is UTF-8, whatever a charset says.
      /^"?(utf-?8|us-ascii)"?\s*(;|$)/i.test(charsetOf(contentType)))
  );
}

function charsetOf(contentType: string): string {
  return /;\s*charset\s*=\s*(\S*)/i.exec(contentType)?.[1] ?? "utf-8";
}

function hasQuery(url: string, directive: string): boolean {
  const mark = url.indexOf("?");
  if (mark < 0) return false;
  const names = [...new URLSearchParams(url.slice(mark + 1)).keys()];
  return names.some((name) => directiveName(name) === directive);
}
