/**
 * Work that is synchronous as long as it can be: a promise only where somebody has to be waited for.
 */

/** A value now or later. */
export type Maybe<T> = T | Promise<T>;

/** Goes on synchronously when it can. */
export function chain<T, U>(value: Maybe<T>, then: (value: T) => Maybe<U>): Maybe<U> {
  return value instanceof Promise ? value.then(then) : then(value);
}

/** Work that nobody will ever go on from. */
export function never<T>(): Promise<T> {
  return new Promise(() => {});
}
