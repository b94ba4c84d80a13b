/**
 * Which providers a caller means: an id, a tag, or a glob over both (`eu-*`), which `tag:` narrows to
 * tags. `*` stands for any text; nothing else is special.
 */
import { matchesGlob } from "../../lib/name-globs.ts";
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
  if (!isTagOnly && matchesGlob(pattern, provider)) return true;
  return tags.some((tag) => matchesGlob(pattern, tag));
};
