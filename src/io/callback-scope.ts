/**
 * Whose code a driver's callbacks are (otp.md 4.3).
 *
 * An emitter calls back in the async scope in which its socket was made, and sockets are shared: of a
 * pool's socket the maker is whoever came first, of a server's whoever listened first, and both may
 * be long dead. A driver therefore calls back through a scope that it took from its user: an error is
 * then charged to the process that asked, and that process may still send (40 ns).
 */
import { AsyncResource } from "node:async_hooks";

const OPTIONS = { requireManualDestroy: true };

/** The scope of whoever made it, or adopted it last. */
export class CallbackScope {
  #resource = new AsyncResource("paceline.callbacks", OPTIONS);

  /** From now on the callbacks are the caller's. */
  adopt(): void {
    this.#resource = new AsyncResource("paceline.callbacks", OPTIONS);
  }

  /** Runs `body` in the scope; undefined when it threw, for which its owner answers. */
  run<Result>(body: () => Result): Result | undefined {
    return this.#resource.runInAsyncScope<undefined, Result | undefined>(guarded, undefined, body);
  }

  /** The same for a callback of two arguments, without a closure. */
  call<First, Second>(
    body: (first: First, second: Second) => void,
    first: First,
    second: Second,
  ): void {
    this.#resource.runInAsyncScope(guardedCall, undefined, body, first, second);
  }
}

function guardedCall<First, Second>(
  body: (first: First, second: Second) => void,
  first: First,
  second: Second,
): void {
  try {
    body(first, second);
  } catch (error) {
    rethrow(error);
  }
}

/** Thrown on from the callback it would leave the scope and be charged to the socket's maker. */
function rethrow(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

function guarded<Result>(body: () => Result): Result | undefined {
  try {
    return body();
  } catch (error) {
    rethrow(error);
    return undefined;
  }
}
