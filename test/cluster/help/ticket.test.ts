import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { type Ticket, Tickets } from "../../../src/cluster/help/ticket.ts";

const SECRET = "a secret that all regions know";
const BODY = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"eth_gasPrice"}');
const TICKET: Ticket = {
  region: "eu",
  instance: "i1",
  number: 7,
  to: "us",
  toInstance: "i2",
  heard: 12,
  chain: "eth",
  chainId: 1,
  hops: 1,
  timeoutMs: 3_000,
};

describe("a ticket", () => {
  const tickets = new Tickets(SECRET, "paceline:cluster");

  it("says at the other end what it said here", () => {
    expect(tickets.open(tickets.seal(TICKET, BODY), BODY)).toEqual({ ok: true, ticket: TICKET });
  });

  it("holds for no other body, secret or channel", () => {
    const text = tickets.seal(TICKET, BODY);
    const others = [
      new Tickets("another secret of other regions", "paceline:cluster"),
      new Tickets(SECRET, "other:cluster"),
    ];
    for (const other of others) {
      expect(other.open(text, BODY)).toEqual({ ok: false, refusal: "unsigned" });
    }
    const changed = Buffer.from(BODY.toString().replace("gasPrice", "accounts"));
    expect(tickets.open(text, changed)).toEqual({ ok: false, refusal: "unsigned" });
  });

  it("is not taken when a claim was changed", () => {
    const [claims = "", mac = ""] = tickets.seal(TICKET, BODY).split(".");
    const said = JSON.parse(Buffer.from(claims, "base64url").toString()) as unknown[];
    for (const at of said.keys()) {
      const changed = said.map((claim, index) =>
        index !== at ? claim : typeof claim === "number" ? claim + 1 : `${String(claim)}x`,
      );
      const text = Buffer.from(JSON.stringify(changed)).toString("base64url");
      expect(tickets.open(`${text}.${mac}`, BODY)).toEqual({ ok: false, refusal: "unsigned" });
    }
  });

  it("of garbage is refused, whatever the garbage", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.base64String(), fc.constant("x".repeat(5_000))),
        (text) => {
          expect(tickets.open(text, BODY).ok).toBe(false);
          expect(tickets.open(`${text}.${text}`, BODY).ok).toBe(false);
        },
      ),
    );
  });
});
