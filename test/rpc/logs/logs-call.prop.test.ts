import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyLimits, anyLogs } from "./any.ts";
import type { NodeLimits } from "./chain.ts";
import { ADDRESSES, answerOf, bodyText, select, TOPICS } from "./chain.ts";
import { become, filterOf, logsWorld, open } from "./logs-world.ts";
import type { ScriptedCall } from "../proxy/support.ts";

const TIP = 300;

const someLogs = anyLogs(
  fc.record({ block: fc.integer({ min: 1, max: TIP }), address: fc.nat(4), topic: fc.nat(3) }),
  200,
);
const someLimits = anyLimits({ min: 3, max: TIP }, { min: 10, max: 80 });

const anyFilter = fc.record(
  {
    fromBlock: fc.integer({ min: 1, max: TIP }).map((block) => `0x${block.toString(16)}`),
    toBlock: fc.constantFrom("latest", "0xc8", "0xffffff"),
    address: fc.subarray(ADDRESSES, { minLength: 1 }),
    topics: fc.subarray(TOPICS, { minLength: 1 }).map((list) => [list]),
  },
  { requiredKeys: ["fromBlock", "toBlock"] },
);

/** Refusals in the words of vendors. */
function refuse(call: ScriptedCall, of: "range" | "addresses" | "answer", blocks?: number): void {
  const from = Number(filterOf(call).fromBlock);
  if (of === "addresses") call.error(-32000, "too many addresses");
  else if (of === "range") {
    call.error(
      -32000,
      blocks === undefined ? "block range is too wide" : `exceed maximum block range: ${blocks}`,
    );
  } else if (blocks === undefined) call.error(-32005, "query returned more than 10000 results");
  else {
    const range = `[0x${from.toString(16)}, 0x${(from + blocks - 1).toString(16)}]`;
    call.error(
      -32005,
      `query returned more than 10000 results. Try with this block range ${range}.`,
    );
  }
}

const isOpen = ({ handler }: ScriptedCall): boolean =>
  !(handler as unknown as { isSettled: boolean }).isSettled;

describe("eth_getLogs over any providers", () => {
  it("answers what one node with everything would have answered, to the byte", () => {
    fc.assert(
      fc.property(
        someLogs,
        fc.array(someLimits, { minLength: 3, maxLength: 3 }),
        anyFilter,
        fc.infiniteStream(
          fc.record({ which: fc.nat(), fate: fc.integer({ min: 0, max: 11 }), at: fc.nat() }),
        ),
        (logs, limits, filter, turns) => {
          const toBlock = `0x${Math.min(TIP, filter.toBlock === "latest" ? TIP : Number(filter.toBlock)).toString(16)}`;
          // An empty range is the provider's own to answer.
          fc.pre(Number(filter.fromBlock) <= Number(toBlock));
          const w = logsWorld(logs, {
            tip: TIP,
            rules: { partRange: 60 },
            limits: { bufferBytes: 2000 },
          });
          for (const at of [0, 1, 2]) become(w, at, () => undefined);
          const reply = w.ask(filter);
          let failures = 0;
          let isCut = false;
          for (const { which, fate, at } of turns) {
            const waiting = open(w).filter(isOpen);
            if (reply.isEnded || reply.isDestroyed) break;
            if (waiting.length === 0) {
              w.advance(1000);
              continue;
            }
            const call = waiting[which % waiting.length] as ScriptedCall;
            const provider = w.upstreams.findIndex(({ calls }) => calls.includes(call));
            // A few failures only: with more, some part fails at everybody.
            if (fate < 3 && failures < 2) {
              failures++;
              if (fate === 0) call.fail("reset");
              else if (fate === 1) call.answer("slow down", 429, "1");
              else {
                call.handler.onHead({ status: 200, sizeBytes: 9000, retryAfter: undefined });
                call.handler.onData(
                  Buffer.from(`{"jsonrpc":"2.0","id":${call.id},"result":[{"addr`),
                );
                isCut = w.upstreams.flatMap(({ calls }) => calls).length <= 2;
                call.fail("truncated");
              }
              continue;
            }
            const found = answerOf(logs, filterOf(call), limits[provider] as NodeLimits);
            if (!found.ok) {
              refuse(call, found.of, found.blocks);
              continue;
            }
            const text = `{"jsonrpc":"2.0","id":${call.id},"result":[${bodyText(found.logs)}]}`;
            const cut = at % text.length;
            call.chunks([text.slice(0, cut), text.slice(cut)].filter((piece) => piece !== ""));
          }
          // In one piece it streams through, so that a cut is the client's.
          if (reply.isDestroyed) {
            expect(isCut).toBe(true);
            return;
          }
          const wanted = select(logs, { ...filter, toBlock });
          expect(reply.text).toBe(`{"jsonrpc":"2.0","id":7,"result":[${bodyText(wanted)}]}`);
          expect(w.gateway.inFlight).toBe(0);
          expect(w.gateway.engine.wheel.size).toBe(0);
          expect(w.records).toHaveLength(1);
        },
      ),
      { numRuns: 200 },
    );
  });
});
