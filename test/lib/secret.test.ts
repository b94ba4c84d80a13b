import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Secret } from "../../src/lib/secret.ts";

const KEY = "CANARY-0123456789";
const url = new Secret(`https://user:${KEY}-p@rpc.example:8443/v2/${KEY}?token=${KEY}-q`);

describe("Secret", () => {
  it("prints as host and fingerprint, in every way there is to print", () => {
    const label = /^rpc\.example:8443#[0-9a-f]{4}$/;
    expect(String(url)).toMatch(label);
    expect([url].join()).toMatch(label);
    expect(JSON.parse(JSON.stringify({ url })).url).toMatch(label);
    expect(inspect({ url }, { depth: 9, showHidden: true })).not.toContain(KEY);
    expect(Object.keys(url)).toEqual([]);
  });

  it("gives the text to those who ask for it", () => {
    expect(url.reveal()).toContain(KEY);
  });

  it("has equal fingerprints for equal texts only", () => {
    expect(String(new Secret("https://a.example/x1"))).toBe(
      String(new Secret("https://a.example/x1")),
    );
    expect(String(new Secret("https://a.example/x1"))).not.toBe(
      String(new Secret("https://a.example/x2")),
    );
    expect(new Secret("a").equals(new Secret("a"))).toBe(true);
    expect(new Secret("a").equals(new Secret("b"))).toBe(false);
    expect(new Secret("a").equals(undefined)).toBe(false);
  });

  it("shows no host when the host may be the key, and none of a text that is no URL", () => {
    expect(String(new Secret(`https://${KEY}.rpc.example/`, "hide"))).toMatch(/^\*\*\*#/);
    expect(String(new Secret(`Bearer ${KEY}`))).toMatch(/^\*\*\*#/);
  });

  it("takes itself and each of its keys out of a foreign text", () => {
    const text = `401 for ${url.reveal()}: key ${KEY} (token ${KEY}-q, password ${KEY}-p)`;
    expect(url.redact(text)).not.toContain("CANARY");
    expect(new Secret(`Bearer ${KEY}`).redact(`bad token ${KEY}`)).toBe("bad token ***");
    expect(url.redact("connection reset")).toBe("connection reset");
  });

  it("never prints a key that sits in path, query or password (property)", () => {
    const key = fc.stringMatching(/^[A-Za-z0-9_-]{12,40}$/);
    fc.assert(
      fc.property(key, fc.constantFrom("path", "query", "password", "text"), (secret, place) => {
        const value = {
          path: `wss://h.example/v3/${secret}`,
          query: `https://h.example/?apikey=${secret}`,
          password: `https://u:${secret}@h.example/`,
          text: `Bearer ${secret}`,
        }[place];
        const held = new Secret(value);
        const printed = [
          String(held),
          [held].join(),
          JSON.stringify([held]),
          inspect([held]),
        ].join();
        return !printed.includes(secret) && !held.redact(`error at ${value}`).includes(secret);
      }),
    );
  });
});
