/** A state that no handler can touch: the next message crashes the process inside its own code. */

/** What the crash says, so that an injected one is told from a bug. */
export const POISON = "sim: poisoned state";

const fail = (): never => {
  throw new Error(POISON);
};

/** Stands in for a state; reading or writing anything of it throws. */
export const poisonedState: unknown = new Proxy(
  {},
  { get: fail, set: fail, has: fail, ownKeys: fail, getOwnPropertyDescriptor: fail },
);
