import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AddressBuckets, MAX_ADDRESSES } from "../../../src/rpc/clients/address-buckets.ts";
import {
  addressGroup,
  AddressRanges,
  clientAddress,
  rangeOf,
} from "../../../src/lib/address-range.ts";

describe("ranges of addresses", () => {
  it.each([
    ["10.0.0.0/8", "10.255.0.1", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["10.0.0.0/8", "::ffff:10.1.2.3", true],
    ["192.168.1.7", "192.168.1.7", true],
    ["192.168.1.7", "192.168.1.8", false],
    ["fd00::/8", "fd12:3456::1", true],
    ["fd00::/8", "fe80::1", false],
    ["2001:db8::/33", "2001:db8:7fff::1", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["::1", "::1", true],
    ["0.0.0.0/0", "8.8.8.8", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["::/0", "8.8.8.8", true],
  ])("%s holds %s: %s", (range, address, isIn) => {
    expect(new AddressRanges([range]).has(address)).toBe(isIn);
  });

  it.each(["10.0.0.0/33", "10.0.0", "10.0.0.256", "::1::", "fd00::/129", "x", "", "1.2.3.4/x"])(
    "%s is none",
    (text) => expect(rangeOf(text)).toBeUndefined(),
  );
});

describe("the address of a client behind proxies", () => {
  const trusted = new AddressRanges(["10.0.0.0/8", "fd00::/8"]);

  it.each([
    ["no proxy", "8.8.8.8", undefined, "8.8.8.8"],
    ["a stranger that claims to be one", "8.8.8.8", "1.1.1.1", "8.8.8.8"],
    ["a trusted proxy", "10.0.0.1", "1.1.1.1", "1.1.1.1"],
    ["what the client itself has put there", "10.0.0.1", "6.6.6.6, 1.1.1.1", "1.1.1.1"],
    ["two trusted proxies", "10.0.0.1", "1.1.1.1, 10.0.0.2", "1.1.1.1"],
    ["garbage", "10.0.0.1", "1.1.1.1, <script>", "10.0.0.1"],
    ["only proxies", "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
    ["a port", "::ffff:10.0.0.1", "1.1.1.1:4711", "1.1.1.1"],
    ["IPv6 in brackets", "fd00::1", "[2001:db8::5]:443", "2001:db8::5"],
  ])("is right with %s", (_name, peer, forwarded, address) => {
    expect(clientAddress(peer, forwarded, trusted)).toBe(address);
  });

  it("is the peer's as long as no proxy is trusted", () => {
    expect(clientAddress("10.0.0.1", "1.1.1.1", new AddressRanges([]))).toBe("10.0.0.1");
  });

  it("is not confused by any header", () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        expect(clientAddress("10.0.0.1", header, trusted)).toBeTypeOf("string");
        expect(addressGroup(header)).toBeTypeOf("string");
      }),
    );
  });
});

describe("the group of an address", () => {
  it.each([
    ["1.2.3.4", "1.2.3.4"],
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
    ["2001:db8:1:3::9", "2001:db8:1:3::/64"],
  ])("of %s is %s", (address, group) => {
    expect(addressGroup(address)).toBe(group);
  });
});

describe("buckets of addresses", () => {
  it("are kept for a bounded number, the busy ones longest", () => {
    const buckets = new AddressBuckets({ perSec: 1, burst: 1 });
    const busy = buckets.of("busy");
    busy.spend(0);
    for (let at = 0; at < 5 * MAX_ADDRESSES; at++) {
      buckets.of(`flood ${at}`);
      if (at % 1_000 === 0) expect(buckets.of("busy")).toBe(busy);
      if (at % 5_000 === 0) expect(buckets.size).toBeLessThanOrEqual(2 * MAX_ADDRESSES);
    }
  });
});
