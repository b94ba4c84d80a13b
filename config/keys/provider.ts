/** Keys of a provider. */
import { z } from "zod";
import { PROVIDER_DEFAULTS } from "../default.ts";
import { ERROR_RULE_CLASSES } from "../schema.ts";
import { breakerKeys } from "./breaker.ts";
import * as field from "./fields.ts";
import { trialKeys } from "./integrity.ts";
import { rateGroup } from "./rate.ts";

const provided = PROVIDER_DEFAULTS;

const HTTP_URL = /^https?:\/\/[^\s]+$/i;
const WS_URL = /^wss?:\/\/[^\s]+$/i;

const errorRule = z
  .strictObject({
    code: field.describe(z.int(), "JSON-RPC error code to match.", "a whole number", {
      reload: "hot",
    }),
    message_contains: field.text("Part of the error message, compared without case.", {
      reload: "hot",
    }),
    class: field
      .describe(
        z.enum(ERROR_RULE_CLASSES),
        "What the error then means; see docs/errors.md.",
        `one of ${ERROR_RULE_CLASSES.join(", ")}`,
        { reload: "hot" },
      )
      .unwrap(),
  })
  .meta({ description: "One rule; all given conditions must hold.", "x-expects": "a map of keys" });

/** The rule of one provider. */
export const providerRule = z
  .strictObject({
    id: field
      .describe(z.string(), "Name of the provider, unique within the chain.", "text", {
        reload: "process",
      })
      .unwrap(),
    url: field.secret(
      "JSON-RPC endpoint over HTTP. An unset variable in it leaves this URL out with a warning.",
      "an http:// or https:// URL",
      HTTP_URL,
    ),
    ws_url: field.secret(
      "JSON-RPC endpoint over WebSocket. An unset variable in it leaves this URL out with a warning.",
      "a ws:// or wss:// URL",
      WS_URL,
    ),
    api_key_required: field.flag(
      "A URL in which a substituted value came out empty is left out, as if its variable were unset.",
      { default: provided.api_key_required },
    ),
    required: field.flag("An unset variable in a URL is an error instead of leaving the URL out.", {
      default: provided.required,
    }),
    priority: field.whole(
      "Rank for the `priority` strategy and for ties; lower is preferred.",
      { min: 0, max: 1_000_000 },
      field.hot(provided.priority),
    ),
    role: field.oneOf(
      ["primary", "backup"],
      "A `backup` serves only when fewer than `selection.min_healthy` primaries can.",
      field.hot(provided.role),
    ),
    weight: field.number(
      "Share of this provider in `round-robin`.",
      { min: 0.001, max: 1_000 },
      field.hot(provided.weight),
    ),
    type: field.oneOf(
      ["public", "paid", "dedicated"],
      "Kind of access; `cheapest` prefers public at equal cost.",
      field.hot(provided.type),
    ),
    vendor: field.text("Who sells the service; the `id` when not given.", { reload: "hot" }),
    tags: field.texts("Free labels, shown by the API and the CLI.", field.hot(provided.tags)),
    region: field.text("Where the endpoint stands, shown by the API and the CLI.", {
      reload: "hot",
    }),
    archival: field.flag(
      "It serves state older than `selection.archival_threshold` blocks.",
      field.hot(false),
    ),
    subscribe_new_heads: field.flag(
      "Races `newHeads` over its WebSocket; true with a `ws_url` when not given.",
    ),
    cost: field.group("What calls cost; `cheapest` and `hybrid` read it.", {
      price_per_million_units: field.number(
        "Price of a million units, in any one currency.",
        { min: 0 },
        field.hot(provided.cost.price_per_million_units),
      ),
      units: field.describe(
        z.union([z.number().min(0), z.record(z.string(), z.number().min(0))]),
        "Units of a call: one number, or a map from method to units with `default` for the rest.",
        "a number of at least 0, or a map from method to such numbers",
        field.hot(provided.cost.units),
      ),
    }),
    rate: rateGroup(
      "Calls per second that it may get from this host; beyond them the next provider is asked.",
      "Calls it may get at once; as many as `rps` when not given.",
    ),
    quota: field.group(
      "Units of `cost` that it may be asked for; background traffic stops at 90 %, users are sent elsewhere at 100 %.",
      {
        units: field
          .describe(z.number().min(1), "Units of one period.", "a number of at least 1", {
            reload: "hot",
          })
          .unwrap(),
        per: field
          .describe(z.enum(["day", "month"]), "The period, in UTC.", "one of day, month", {
            reload: "hot",
          })
          .unwrap(),
      },
    ),
    http: field.group("The HTTP connections to the provider.", {
      pool: field.whole(
        "Connections kept to the endpoint.",
        { min: 1, max: 10_000 },
        { default: provided.http.pool },
      ),
    }),
    headers: field.describe(
      z.record(z.string(), z.string()),
      "Headers sent with every HTTP request and WebSocket handshake, as a map from name to text.",
      "a map from header name to text",
      { default: provided.headers },
      { "x-secret": true },
    ),
    capabilities: field.group(
      "Limits of the provider that are known beforehand; others are learned from its answers.",
      {
        unsupported: field.methods(
          "Methods, or globs such as `debug_*`, that it does not serve.",
          field.hot(provided.capabilities.unsupported),
        ),
        max_block_range: field.whole(
          "Most blocks one `eth_getLogs` may span there.",
          { min: 1 },
          { reload: "hot" },
        ),
        archive_depth: field.whole(
          "Blocks below the tip whose state it serves; older state is asked elsewhere.",
          { min: 0 },
          { reload: "hot" },
        ),
      },
    ),
    error_rules: field.describe(
      z.array(errorRule),
      "The vendor's own meaning of errors; tried before the built-in table, first match wins.",
      "a list of rules",
      field.hot(provided.error_rules),
    ),
    breaker: field.group("Overrides `breaker` of the chain for this provider.", {
      failure_threshold: field.withoutDefault(breakerKeys.failure_threshold),
      recovery_timeout: field.withoutDefault(breakerKeys.recovery_timeout),
      success_threshold: field.withoutDefault(breakerKeys.success_threshold),
      categories: field.withoutDefault(breakerKeys.categories),
    }),
    ...trialKeys,
    probe: field.flag("`false` spends no background traffic on it.", { default: provided.probe }),
    cordoned: field.flag(
      "Kept connected and shown, but never chosen.",
      field.hot(provided.cordoned),
    ),
  })
  .meta({ description: "One endpoint pair of one vendor.", "x-expects": "a map of keys" });
