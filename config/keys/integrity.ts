/** Keys about what answers are worth: agreement of several providers, and checks of each answer. */
import { z } from "zod";
import { CHAIN_DEFAULTS, QUORUM_RULE_DEFAULTS } from "../default.ts";
import * as field from "./fields.ts";

const hot = { reload: "hot" } as const;
/** Providers that one call may ask for their agreement. */
const MAX_LEGS = 16;

const quorumRule = z
  .strictObject({
    methods: field
      .methods("Methods, or prefixes such as `eth_get*`, whose answers need agreement.", hot)
      .unwrap(),
    agree: field.whole(
      "Providers that must give the same answer.",
      { min: 1, max: MAX_LEGS },
      field.hot(QUORUM_RULE_DEFAULTS.agree),
    ),
    of: field.whole(
      "Providers that are asked at once; at least `agree`.",
      { min: 1, max: MAX_LEGS },
      field.hot(QUORUM_RULE_DEFAULTS.of),
    ),
    ignore_fields: field.texts(
      "Members that do not count when answers are compared: names (anywhere) or dotted paths from the result.",
      field.hot(QUORUM_RULE_DEFAULTS.ignore_fields),
    ),
    prefer: field.oneOf(
      ["non_empty", "none"],
      "`non_empty`: null and empty lists neither win against another answer nor agree before all have answered; `none`: they count like any answer.",
      field.hot(QUORUM_RULE_DEFAULTS.prefer),
    ),
  })
  .meta({
    description: "One rule; the first that names a method holds.",
    "x-expects": "a map of keys",
  });

/** The keys of a chain. */
export const integrityKeys = {
  quorum: field.describe(
    z.array(quorumRule),
    "Reads that several providers must agree on; see docs/integrity.md.",
    "a list of rules",
    field.hot(CHAIN_DEFAULTS.quorum),
  ),
  integrity: field.group("Checks of answers beyond those that are always made.", {
    headers: field.flag(
      "Compute the hash of every block header that is sent.",
      field.hot(CHAIN_DEFAULTS.integrity.headers),
    ),
    bloom: field.flag(
      "Hold logs and receipts against the blooms of their blocks.",
      field.hot(CHAIN_DEFAULTS.integrity.bloom),
    ),
    receipts: field.flag(
      "Compute the root of a block's receipts where its header is known.",
      field.hot(CHAIN_DEFAULTS.integrity.receipts),
    ),
  }),
};

/** The keys of a provider on trial. */
export const trialKeys = {
  shadow: field.group(
    "A provider with this key is never chosen: it gets copies, and is compared.",
    {
      sample: field
        .number(
          "Share of repeatable reads of which it gets a copy, after the client has its answer.",
          { min: 0, max: 1 },
          { reload: "process", unit: "ratio" },
        )
        .unwrap(),
    },
  ),
  canary: field.group(
    "A provider with this key serves a share of reads and is the last choice for all others.",
    {
      share: field
        .number(
          "Share of reads that it is asked first.",
          { min: 0, max: 1 },
          { ...hot, unit: "ratio" },
        )
        .unwrap(),
    },
  ),
};
