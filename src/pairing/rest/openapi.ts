/** The part of /openapi.json that describes the pairing interface, made of its routes and schemas. */
import { z } from "zod";
import { PAIRING_ROUTES, type RouteSpec } from "./routes.ts";
import { PAIRING_SCHEMAS } from "./schemas.ts";

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What the document says of the interface. */
export interface DescribedPaths {
  readonly paths: Readonly<Record<string, Json>>;
  readonly schemas: Readonly<Record<string, Json>>;
  readonly securitySchemes: Readonly<Record<string, Json>>;
}

let described: DescribedPaths | undefined;

/** The interface's part of the document, made when it is asked for first: a start needs none. */
export const describedPairing = (): DescribedPaths =>
  (described ??= {
    paths: pairingPaths(),
    schemas: pairingSchemas(),
    securitySchemes: SECURITY_SCHEMES,
  });

/** The schemas by name, as JSON Schema. */
const pairingSchemas = (): Readonly<Record<string, Json>> =>
  Object.fromEntries(
    Object.entries(PAIRING_SCHEMAS).map(([name, schema]) => {
      const { $schema: _, ...rest } = z.toJSONSchema(schema) as Record<string, Json>;
      return [name, rest];
    }),
  );

/** The paths with their methods. */
const pairingPaths = (): Readonly<Record<string, Json>> => {
  const paths: Record<string, Record<string, Json>> = {};
  for (const [operationId, spec] of Object.entries(PAIRING_ROUTES)) {
    const path = (paths[spec.path] ??= {});
    path[spec.method.toLowerCase()] = operation(operationId, spec);
  }
  return paths;
};

const operation = (operationId: string, spec: RouteSpec): Json => ({
  operationId,
  summary: spec.summary,
  parameters: [...pathParameters(spec), ...queryParameters(spec)],
  ...(spec.body === undefined ? {} : { requestBody: requestBody(spec.body) }),
  responses: {
    [spec.status]: content(ref(spec.answer), "done"),
    default: content(ref("PairingError"), "refused; the code says why"),
  },
  ...(spec.access !== "read" ? { security: [{}, { key: [] }, { bearer: [] }] } : {}),
});

/** How a key is shown. */
const SECURITY_SCHEMES: Readonly<Record<string, Json>> = {
  key: { type: "apiKey", in: "header", name: "X-Paceline-Key" },
  bearer: { type: "http", scheme: "bearer" },
};

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

const content = (schema: Json, description: string): Json => ({
  description,
  content: { "application/json": { schema } },
});

const requestBody = (names: readonly string[]): Json => {
  const [only, more] = names;
  const schema = more === undefined ? ref(only ?? "") : { oneOf: names.map(ref) };
  return { required: true, content: { "application/json": { schema } } };
};

const pathParameters = ({ path }: RouteSpec): Json[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));

const queryParameters = ({ query = {} }: RouteSpec): Json[] =>
  Object.entries(query).map(([name, { type, meaning, isRequired = false }]) => ({
    name,
    in: "query",
    required: isRequired,
    description: meaning,
    schema: { type },
  }));
