/** docs/errors.md from the error tables of the gateway and of pairing. */
import type { PairingError } from "../../src/pairing/errors.ts";
import { PAIRING_ERRORS } from "../../src/pairing/errors.ts";
import type { OwnError } from "../../src/rpc/errors/codes.ts";
import { OWN_ERRORS } from "../../src/rpc/errors/codes.ts";
import type { Decision } from "../../src/rpc/errors/decisions.ts";
import { DECISIONS } from "../../src/rpc/errors/decisions.ts";
import type { TableRule } from "../../src/rpc/errors/rules.ts";
import {
  CODE_RANGES,
  CODE_RULES,
  REVERT_SELECTORS,
  STATUS_RULES,
} from "../../src/rpc/errors/table/codes.ts";
import { VENDOR_RULES } from "../../src/rpc/errors/table/vendor.ts";
import { WORD_RULES } from "../../src/rpc/errors/table/words.ts";
import { markdownTable } from "../markdown.ts";

/** Where the page is kept. */
export const path = "docs/errors.md";

/** The page. */
export function render(): string {
  const own = Object.entries<OwnError>(OWN_ERRORS).map(([reason, { code, status, meaning }]) => [
    `\`${reason}\``,
    String(code),
    String(status),
    meaning,
  ]);
  const pairing = Object.entries<PairingError>(PAIRING_ERRORS).map(
    ([code, { status, meaning }]) => [`\`${code}\``, String(status), meaning],
  );
  return `# Errors

Generated from \`src/rpc/errors/\` and \`src/pairing/errors.ts\` by \`node scripts/docs.ts\`; do not edit.

## Errors of ours

Every one carries \`data.reason\`, the token of the first column. Batches are always HTTP 200; the
status is that of a single call.

${markdownTable(["reason", "code", "HTTP", "when"], own)}

## Refusals of pairing

${markdownTable(["code", "HTTP", "when"], pairing)}

## Classes of outcomes

Each attempt at a provider ends in one class, and the class alone decides what follows.

${markdownTable(["class", "meaning", "fail over", "breaker", "score", "memory", "cache", "client gets"], classRows())}

- **fail over**: whether another provider is asked: never, once, twice for the same class, always
  (as long as attempts, time and providers are left).
- **breaker**: the category of a counted failure, or success; \`none\` is not heard at all.
- **score**: what evidence records; \`capacity\` and \`lag\` lower no reliability.
- **memory**: \`cooldown\`: the provider rests for Retry-After, else 1 s, doubled with each refusal in
  a row, at most 5 minutes. \`capability\`: such calls go elsewhere for 1 hour, a missing method for 10
  minutes after two sightings. \`head\`: it is believed to be further behind than it said.
  \`retry_after\`: Retry-After of a 503 lengthens the pause of its breaker. \`quarantine\`: nothing is
  sent until its chain id is right again. \`alert\`: only the operator can help. \`fingerprint\`: counted by its words, shown as
  \`unmatched_errors\` by \`GET /api/v1/chains\`.
- **cache**: by finality of the block; \`fixed_block\`: only where the call names its block.
- When all providers failed, the client gets the most informative upstream error (in this order:
  ${informativeOrder()}), then the one seen most often, then by provider id, with
  \`data.attempts\` added if it carries no data. What only concerns us and a provider is never relayed.

## How an upstream error gets its class

The first that matches decides: the provider's \`error_rules\`, the vendor rules, the HTTP status, a
revert selector in the error's data (also where the result of an \`eth_call\` begins with it), the
words of the message and then of the data, the code. Each rule says whose answer it stands for.

### Vendor rules

${markdownTable(["code", "message contains", "methods", "class", "source"], VENDOR_RULES.map(ruleRow))}

### HTTP status

${markdownTable(["status", "class", "source"], STATUS_RULES.map(statusRow))}

Other statuses leave the word to the body.

### Revert selectors

${markdownTable(
  ["selector", "source"],
  REVERT_SELECTORS.map(({ selector, source }) => [`\`0x${selector}\``, source]),
)}

### Words, in this order

${markdownTable(["class", "methods", "fragments", "source"], WORD_RULES.map(wordRow))}

### Codes

${markdownTable(["code", "methods", "class", "source"], CODE_RULES.map(codeRow))}

${markdownTable(
  ["codes", "class", "source"],
  CODE_RANGES.map(({ first, last, class: name, source }) => [
    `${first} to ${last}`,
    `\`${name}\``,
    source,
  ]),
)}
`;
}

const CLIENT_GETS: Readonly<Record<Decision["client"], string>> = {
  result: "the answer",
  theirs: "the upstream's error, unchanged",
  own: "`-32002`",
  nobody: "–",
};

function classRows(): string[][] {
  return Object.entries<Decision>(DECISIONS).map(([name, decision]) => [
    `\`${name}\``,
    decision.meaning,
    decision.failover,
    decision.breaker,
    decision.score,
    decision.memory,
    decision.cache,
    CLIENT_GETS[decision.client],
  ]);
}

function informativeOrder(): string {
  return Object.entries<Decision>(DECISIONS)
    .filter(([, { client }]) => client === "theirs")
    .sort(([, a], [, b]) => a.informative - b.informative)
    .map(([name]) => `\`${name}\``)
    .join(", ");
}

function ruleRow(rule: TableRule): string[] {
  return [
    rule.codes?.join(", ") ?? "any",
    fragmentsText(rule.texts),
    methodsText(rule.methods),
    `\`${rule.class}\``,
    rule.source,
  ];
}

function statusRow({ status, last, class: name, source }: (typeof STATUS_RULES)[number]): string[] {
  return [last === undefined ? String(status) : `${status} to ${last}`, `\`${name}\``, source];
}

function wordRow(rule: TableRule): string[] {
  const near = rule.nearHead === undefined ? "" : `; \`${rule.nearHead}\` within 128 blocks`;
  return [
    `\`${rule.class}\`${near}`,
    methodsText(rule.methods),
    fragmentsText(rule.texts),
    rule.source,
  ];
}

function codeRow(rule: TableRule): string[] {
  return [
    rule.codes?.join(", ") ?? "any",
    methodsText(rule.methods),
    `\`${rule.class}\``,
    rule.source,
  ];
}

function methodsText(methods: readonly string[] | undefined): string {
  return methods === undefined ? "all" : methods.map((method) => `\`${method}\``).join(", ");
}

function fragmentsText(texts: readonly string[] | undefined): string {
  return texts === undefined ? "–" : texts.map((text) => `\`${text}\``).join(", ");
}
