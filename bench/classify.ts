/**
 * What an upstream's error costs on the request path: its class, over all real answers that the tests
 * keep, the longest walk through the tables, the judgement of a whole error body, and what the
 * capability book reads from a refusal.
 *
 * Bars: classification < 5 us, also of 300 chars that no rule knows.
 */
import { readFileSync } from "node:fs";
import { CapabilityBook } from "../src/rpc/capabilities/capability-book.ts";
import { NameGlobs } from "../src/lib/name-globs.ts";
import type { UpstreamError } from "../src/rpc/errors/classify.ts";
import { classifyError } from "../src/rpc/errors/classify.ts";
import { judgeReply } from "../src/rpc/proxy/attempt/upstream-reply.ts";
import { interleave, type Variant } from "./support/interleave.ts";
import { report } from "./support/report.ts";

interface Answer {
  readonly method: string;
  readonly status: number;
  readonly body: string | { readonly error?: { code: number; message: string; data?: unknown } };
}

const answers = readFileSync(
  new URL("../test/rpc/errors/real-answers.jsonl", import.meta.url),
  "utf8",
)
  .trim()
  .split("\n")
  .map((line): Answer => JSON.parse(line));

const errors = answers.flatMap(({ method, status, body }): UpstreamError[] => {
  if (typeof body === "string" || body.error === undefined) return [];
  const { code, message, data } = body.error;
  const text = typeof data === "string" ? data : data === undefined ? "" : JSON.stringify(data);
  return [{ method, status, code, message, data: text }];
});

const classify = (name: string, list: readonly UpstreamError[]): Variant => {
  let i = 0;
  return {
    name,
    run: (count) => {
      let sum = 0;
      for (let n = 0; n < count; n++, i++) {
        sum += classifyError(list[i % list.length] as UpstreamError, []).length;
      }
      return sum;
    },
  };
};

const unknown: UpstreamError = {
  method: "eth_call",
  status: 200,
  code: -32000,
  message: "the moon is full and the node does not know why, please ask somebody else ".repeat(4),
  data: "",
};

const context = { id: 100_000_000, status: 200, rules: [], isNearHead: undefined };
const body = Buffer.from(
  '{"jsonrpc":"2.0","id":100000000,"error":{"code":3,"message":"execution reverted: ERC20: transfer amount exceeds balance","data":"0x08c379a0"}}',
);

const refused = {
  provider: "a",
  method: "eth_getLogs",
  code: -32602,
  message:
    "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the response size, or you can request any block range with a cap of 10K logs in the response. Based on your parameters and the response size limit, this block range should work: [0x0, 0x87fe9]",
  data: "",
  asked: { block: 5000, fromBlock: 1, isState: false, range: 5000 },
};
const book = new CapabilityBook();
const globs = new NameGlobs(["debug_*", "trace_*", "*_sign*", "eth_submit*"]);
const methods = ["eth_call", "eth_getLogs", "eth_blockNumber", "eth_getBalance"];

const variants: readonly Variant[] = [
  classify("class of a real answer", errors),
  classify("class of 300 unknown chars", [unknown]),
  {
    name: "judge a revert",
    run: (count) => {
      let sum = 0;
      for (let n = 0; n < count; n++) {
        sum += judgeReply(body, { ...context, method: "eth_call" }).kind.length;
      }
      return sum;
    },
  },
  {
    name: "learn from a refusal",
    run: (count) => {
      let sum = 0;
      for (let n = 0; n < count; n++) sum += book.learn(refused, n)?.limit ?? 1;
      return sum;
    },
  },
  {
    name: "method against 4 globs, remembered",
    run: (count) => {
      let sum = 0;
      for (let n = 0; n < count; n++) sum += globs.has(methods[n & 3] as string) ? 1 : 0;
      return sum;
    },
  },
];

for (const { name, minNs } of interleave(variants, 40_000)) {
  const isClass = name.startsWith("class");
  report({
    bench: "classify",
    case: name,
    value: minNs,
    unit: "ns",
    ...(isClass ? { bar: "< 5 us", ok: minNs < 5_000 } : {}),
  });
}
