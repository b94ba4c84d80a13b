/** docs/errors.md from the error tables of the gateway. */
import type { ErrorClass } from "../../src/rpc/errors/classes.ts";
import type { OwnError } from "../../src/rpc/errors/codes.ts";
import { OWN_ERRORS } from "../../src/rpc/errors/codes.ts";
import { DECISIONS } from "../../src/rpc/errors/decisions.ts";
import type { ErrorRule } from "../../src/rpc/errors/rules.ts";
import { CODES, FRAGMENTS, VENDOR_RULES } from "../../src/rpc/errors/vendor-rules.ts";
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
  const classes = Object.entries(DECISIONS).map(([name, decision]) => [
    `\`${name}\``,
    decision.meaning,
    decision.failover,
    decision.breaker,
    decision.score,
    decision.isRelayed ? "the upstream's error" : "`-32002`",
  ]);
  return `# Errors

Generated from \`src/rpc/errors/\` by \`node scripts/docs.ts\`; do not edit.

## Errors of ours

Every one carries \`data.reason\`, the token of the first column. Batches are always HTTP 200; the
status is that of a single call.

${markdownTable(["reason", "code", "HTTP", "when"], own)}

## Classes of outcomes

Each attempt at a provider ends in one class. It decides whether another provider is asked, what the
circuit breaker and the score hear, and what the client gets once nothing more is tried.

${markdownTable(["class", "meaning", "fail over", "breaker", "score", "client gets"], classes)}

## How an upstream error gets its class

The first match decides: the provider's \`error_rules\`, the vendor rules below, the HTTP status
(5xx server, 401/402/403 auth, 429 rate limit), a revert selector in the error's data, a fragment of
the message, the code.

### Vendor rules

${markdownTable(["code", "message contains", "methods", "class"], VENDOR_RULES.map(ruleRow))}

### Message fragments, in this order

${markdownTable(["class", "methods", "fragments"], fragmentRows())}

### Codes

${markdownTable(
  ["code", "class"],
  [...CODES].map(([code, name]) => [String(code), `\`${name}\``]),
)}
`;
}

function ruleRow(rule: ErrorRule): string[] {
  return [
    rule.code === undefined ? "any" : String(rule.code),
    rule.messageContains === undefined ? "–" : `\`${rule.messageContains}\``,
    methodsText(rule.methods),
    `\`${rule.class}\``,
  ];
}

function methodsText(methods: readonly string[] | undefined): string {
  return methods === undefined ? "all" : methods.map((method) => `\`${method}\``).join(", ");
}

/** Neighbours of one class and the same methods share a row. */
function fragmentRows(): string[][] {
  const rows: { class: ErrorClass; methods: string; texts: string[] }[] = [];
  for (const fragment of FRAGMENTS) {
    const methods = methodsText(fragment.methods);
    const last = rows.at(-1);
    if (last !== undefined && last.class === fragment.class && last.methods === methods) {
      last.texts.push(fragment.text);
    } else rows.push({ class: fragment.class, methods, texts: [fragment.text] });
  }
  return rows.map((row) => [
    `\`${row.class}\``,
    row.methods,
    row.texts.map((text) => `\`${text}\``).join(", "),
  ]);
}
