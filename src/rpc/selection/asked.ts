/**
 * Which providers a caller means: an id, a tag, or a glob over both (`eu-*`), which `tag:` narrows to
 * tags. `*` stands for any text; nothing else is special.
 */
import type { EndpointView } from "./snapshot.ts";

const TAG = "tag:";
/** Longest pattern that is read; ids and tags are shorter by far. */
const MAX_PATTERN = 128;

/** Whether `asked` means this provider. */
export const isAsked = (
  asked: string,
  { provider, tags }: Pick<EndpointView, "provider" | "tags">,
): boolean => {
  if (asked === provider) return true;
  if (asked.length > MAX_PATTERN) return false;
  const isTagOnly = asked.startsWith(TAG);
  const pattern = isTagOnly ? asked.slice(TAG.length) : asked;
  if (!isTagOnly && isMatch(pattern, provider)) return true;
  return tags.some((tag) => isMatch(pattern, tag));
};

/** Greedy, with one step back per star: linear in the text for each star, never exponential. */
const isMatch = (pattern: string, text: string): boolean => {
  const first = pattern.indexOf("*");
  if (first < 0) return pattern === text;
  const pieces = pattern.split("*");
  const head = pieces[0] as string;
  const tail = pieces.at(-1) as string;
  if (text.length < head.length + tail.length) return false;
  if (!text.startsWith(head) || !text.endsWith(tail)) return false;
  const end = text.length - tail.length;
  let at = head.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
};
