/** Things that a test opened, closed after it in reverse order, even when it failed. */
import { afterAll, afterEach } from "vitest";

/** Registers an `afterEach` and returns `use`: it keeps what it is given until the test is over. */
export function cleanupAfterEach(): <T extends { stop?(): unknown; close?(): unknown }>(
  thing: T,
) => T {
  return keeper(afterEach);
}

/** The same once per file. */
export function cleanupAfterAll(): <T extends { stop?(): unknown; close?(): unknown }>(
  thing: T,
) => T {
  return keeper(afterAll);
}

function keeper(register: (run: () => Promise<void>) => void) {
  const open: { stop?(): unknown; close?(): unknown }[] = [];
  register(async () => {
    for (const thing of open.splice(0).reverse()) {
      await (thing.stop === undefined ? thing.close?.() : thing.stop());
    }
  });
  return <T extends { stop?(): unknown; close?(): unknown }>(thing: T): T => {
    open.push(thing);
    return thing;
  };
}
