/** What a schema cannot say of clients: names and hashes that repeat, profiles that do not exist. */
import { rangeOf } from "../../src/lib/address-range.ts";
import { diagnostic } from "../diagnostic.ts";
import type { Diagnostic, Path } from "../diagnostic.ts";
import { isRawMap } from "./source.ts";
import type { RawMap, RawValue, SourceTree } from "./source.ts";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const NAME_WORDS = "1 to 64 letters, digits, dots, dashes or underscores, a letter or digit first";
/** What callers without a key are called. */
const TAKEN_ID = "anonymous";

/** Checks `clients` and `profiles`, as far as they go. */
export function checkClients(tree: SourceTree): readonly Diagnostic[] {
  const problems: Diagnostic[] = [];
  const fail = (code: Diagnostic["code"], path: Path, text: string): void => {
    problems.push(diagnostic(code, path, text, tree.originOf(path)));
  };
  const profiles = mapOf(tree.root["profiles"]);
  for (const [name, profile] of Object.entries(profiles)) {
    if (!NAME.test(name)) {
      fail("CONFIG_BAD_VALUE", ["profiles", name], `a profile name is ${NAME_WORDS}`);
    }
    const quorum = isRawMap(profile) ? profile["quorum"] : undefined;
    const [agree = 0, of = 0] = typeof quorum === "string" ? quorum.split("/").map(Number) : [];
    if (agree > of) {
      const text = `${agree} of ${of} cannot agree: the first number is at most the second`;
      fail("CONFIG_BAD_VALUE", ["profiles", name, "quorum"], text);
    }
  }
  const clients = mapOf(tree.root["clients"]);
  const proxies = clients["trusted_proxies"];
  (Array.isArray(proxies) ? proxies : []).forEach((range, at) => {
    if (typeof range !== "string" || rangeOf(range) !== undefined) return;
    const text = `"${range}" is no address and no range such as 10.0.0.0/8`;
    fail("CONFIG_BAD_VALUE", ["clients", "trusted_proxies", at], text);
  });
  const keys = clients["keys"];
  const firstAt = new Map<string, number>();
  (Array.isArray(keys) ? keys : []).forEach((key, at) => {
    if (!isRawMap(key)) return;
    const path = ["clients", "keys", at];
    const { id, hash, profile } = key;
    if (typeof id === "string") {
      if (!NAME.test(id)) fail("CONFIG_BAD_VALUE", [...path, "id"], `an id is ${NAME_WORDS}`);
      if (id === TAKEN_ID) {
        fail("CONFIG_RESERVED_NAME", [...path, "id"], `"${id}" stands for callers without a key`);
      }
    }
    for (const [name, value] of [
      ["id", id],
      ["hash", hash],
    ] as const) {
      if (typeof value !== "string") continue;
      const first = firstAt.get(`${name} ${value}`);
      firstAt.set(`${name} ${value}`, first ?? at);
      if (first === undefined) continue;
      fail("CONFIG_DUPLICATE_NAME", [...path, name], `is already the ${name} of keys[${first}]`);
    }
    if (typeof profile === "string" && !Object.hasOwn(profiles, profile)) {
      fail("CONFIG_BAD_VALUE", [...path, "profile"], `no profile is called "${profile}"`);
    }
  });
  return problems;
}

const mapOf = (value: RawValue | undefined): RawMap | Readonly<Record<string, never>> =>
  isRawMap(value) ? value : {};
