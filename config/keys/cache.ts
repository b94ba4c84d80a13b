/** Keys of what is kept of answers, for all chains and for one. */
import { z } from "zod";
import { CACHE_FINALITIES } from "../schema.ts";
import * as field from "./fields.ts";

const METHOD_GLOB = /^[A-Za-z0-9_*]+$/;

const policyRule = z
  .strictObject({
    methods: field
      .describe(
        z.array(z.string().regex(METHOD_GLOB)).min(1),
        "Methods that it holds for; `*` stands for any run of characters.",
        "a list of method names or globs such as eth_get*",
        { reload: "hot" },
      )
      .unwrap(),
    finality: field
      .oneOf(
        CACHE_FINALITIES,
        "Answers that it holds for: `static` ones never change, `finalized` ones belong to a block that no reorg replaces, `unfinalized` ones to a newer block, `realtime` ones to whatever the newest block is.",
        { reload: "hot" },
      )
      .unwrap(),
    ttl: field.duration("Time an answer is kept; 0 keeps none.", 0, { reload: "hot" }).unwrap(),
  })
  .meta({ description: "One policy.", "x-expects": "a map of keys" });

/** The keys; without defaults where they only override. */
export const cacheKeys = (defaults?: { readonly enabled: boolean }) => ({
  enabled: field.flag(
    "Whether answers are kept and given again.",
    defaults === undefined ? { reload: "hot" } : field.hot(defaults.enabled),
  ),
  policies: field.describe(
    z.array(policyRule),
    "How long answers are kept instead of what their finality says; the first that fits counts, those of a chain before those of all.",
    "a list of policies",
    { reload: "hot", ...(defaults === undefined ? {} : { default: [] }) },
  ),
});
