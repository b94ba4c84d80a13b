/**
 * A string (or number) that says what it names. A plain literal fits everywhere, so outside data
 * needs no cast, but a value already known as one kind never passes for another.
 */
export type Flavor<T, Name extends string> = T & { readonly __flavor?: Name };
