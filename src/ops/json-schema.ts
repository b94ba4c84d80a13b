/** Pieces that the schemas of /openapi.json are made of. */

/** Any JSON. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

/** Any text. */
export const text = { type: "string" } as const;
/** A whole number. */
export const whole = { type: "integer" } as const;
/** Any number. */
export const number = { type: "number" } as const;
/** A share. */
export const ratio = { type: "number", minimum: 0, maximum: 1 } as const;
/** True or false. */
export const flag = { type: "boolean" } as const;

/** What a schema says, or null. */
export const nullable = (schema: {
  readonly type: string;
  readonly [key: string]: Json;
}): Json => ({
  ...schema,
  type: [schema.type, "null"],
});
/** An object that has all of these members. */
export const object = (properties: Readonly<Record<string, Json>>): Json => ({
  type: "object",
  properties,
  required: Object.keys(properties),
});
/** A list of one kind of thing. */
export const list = (items: Json): Json => ({ type: "array", items });
/** A schema of the document by its name. */
export const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
/** One of these words. */
export const oneOf = (...values: readonly string[]): Json => ({ type: "string", enum: values });
