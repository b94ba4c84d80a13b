/** What a request says of its sender: an API key, a browser's origin, the proxies it passed. */

/** The parts of a request's head that are looked at. */
export interface Visit {
  /** The key as it was sent; it goes no further than its look-up. */
  readonly key: string | undefined;
  readonly origin: string | undefined;
  readonly forwardedFor: string | undefined;
}

/**
 * Reads headers (flat: name, value) and query. `X-Paceline-Key` comes before `Authorization: Bearer`,
 * which comes before `?key=`.
 */
export function readVisit(rawHeaders: readonly string[], url: string): Visit {
  let own: string | undefined;
  let bearer: string | undefined;
  let origin: string | undefined;
  let forwardedFor: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const value = rawHeaders[index + 1] as string;
    switch (name.length) {
      case 6:
        if (name.toLowerCase() === "origin") origin = value;
        break;
      case 13:
        if (name.toLowerCase() === "authorization") bearer = bearerOf(value);
        break;
      case 14:
        if (name.toLowerCase() === "x-paceline-key") own = value.trim();
        break;
      case 15:
        // Several lines are one list (RFC 9110 5.3).
        if (name.toLowerCase() === "x-forwarded-for") {
          forwardedFor = forwardedFor === undefined ? value : `${forwardedFor},${value}`;
        }
        break;
    }
  }
  return { key: own ?? bearer ?? queryKey(url), origin, forwardedFor };
}

/** The origin of a browser's request. */
export function originOf(rawHeaders: readonly string[]): string | undefined {
  return headerOf(rawHeaders, "origin");
}

/** A header by its lower-case name; the first of several. */
export function headerOf(rawHeaders: readonly string[], name: string): string | undefined {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const given = rawHeaders[index] as string;
    if (given.length === name.length && given.toLowerCase() === name) return rawHeaders[index + 1];
  }
  return undefined;
}

function bearerOf(value: string): string | undefined {
  return /^bearer +([^\s]+)\s*$/i.exec(value)?.[1];
}

function queryKey(url: string): string | undefined {
  const mark = url.indexOf("?");
  if (mark < 0 || !url.includes("key=", mark)) return undefined;
  return new URLSearchParams(url.slice(mark + 1)).get("key") ?? undefined;
}
