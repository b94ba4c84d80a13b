/** Finding one's way in the document schema: which rule holds at a path, and what it says. */
import { z } from "zod";
import type { KeyMeta } from "./fields.ts";
import { documentSchema } from "./document.ts";
import type { Path } from "../diagnostic.ts";

/** What shape of value a rule takes. */
export type RuleKind = "map" | "names" | "list" | "number" | "flag" | "text" | "choice" | "mixed";

/** The rule at a path, undefined when the path leads nowhere. */
export function ruleAt(path: Path): z.ZodType | undefined {
  let rule: z.ZodType | undefined = documentSchema;
  for (const step of path) {
    rule = stepInto(unwrap(rule), step);
    if (rule === undefined) return undefined;
  }
  return unwrap(rule);
}

/** The rule of one key or item below a rule. */
function stepInto(rule: z.ZodType, step: string | number): z.ZodType | undefined {
  if (rule instanceof z.ZodObject) {
    const shape = rule.shape as Record<string, z.ZodType>;
    return Object.hasOwn(shape, step) ? shape[step] : undefined;
  }
  if (rule instanceof z.ZodRecord) return rule.valueType as z.ZodType;
  if (rule instanceof z.ZodArray) return rule.element as z.ZodType;
  return undefined;
}

/** The keys that the map at a rule may have. */
export function keysOf(rule: z.ZodType | undefined): readonly string[] {
  return rule instanceof z.ZodObject ? Object.keys(rule.shape) : [];
}

/** What the rule says about itself. */
export function metaOf(rule: z.ZodType | undefined): KeyMeta | undefined {
  return rule?.meta() as KeyMeta | undefined;
}

/** What shape of value a rule takes. */
export function kindOf(rule: z.ZodType): RuleKind {
  if (rule instanceof z.ZodObject) return "map";
  if (rule instanceof z.ZodRecord) return "names";
  if (rule instanceof z.ZodArray) return "list";
  if (rule instanceof z.ZodNumber) return "number";
  if (rule instanceof z.ZodBoolean) return "flag";
  if (rule instanceof z.ZodEnum) return "choice";
  return rule instanceof z.ZodUnion ? "mixed" : "text";
}

/** Whether a rule or one above it on the path holds secrets. */
export function isSecretAt(path: Path): boolean {
  for (let length = path.length; length > 0; length--) {
    if (metaOf(ruleAt(path.slice(0, length)))?.["x-secret"] === true) return true;
  }
  return false;
}

/** One key of the reference: its path with `<name>` for free names, and what is said about it. */
export interface DocumentedKey {
  readonly path: string;
  readonly kind: RuleKind;
  readonly isRequired: boolean;
  readonly meta: KeyMeta;
}

/** Every key of the document, maps before their content, in the order of the schema. */
export function documentedKeys(): readonly DocumentedKey[] {
  const keys: DocumentedKey[] = [];
  const visit = (given: z.ZodType, path: string): void => {
    const rule = unwrap(given);
    const kind = kindOf(rule);
    const meta = metaOf(rule);
    if (meta !== undefined && path !== "") {
      keys.push({ path, kind, isRequired: !(given instanceof z.ZodOptional), meta });
    }
    if (rule instanceof z.ZodObject) {
      const shape = rule.shape as Record<string, z.ZodType>;
      for (const [key, below] of Object.entries(shape)) {
        visit(below, path === "" ? key : `${path}.${key}`);
      }
    } else if (rule instanceof z.ZodRecord && rule.valueType instanceof z.ZodObject) {
      visitShape(rule.valueType, `${path}.<name>`);
    } else if (rule instanceof z.ZodArray && rule.element instanceof z.ZodObject) {
      visitShape(rule.element, `${path}[]`);
    }
  };
  const visitShape = (rule: z.ZodType, path: string): void => {
    for (const key of keysOf(rule)) {
      const below = stepInto(rule, key);
      if (below !== undefined) visit(below, `${path}.${key}`);
    }
  };
  visit(documentSchema, "");
  return keys;
}

function unwrap(rule: z.ZodType): z.ZodType {
  return rule instanceof z.ZodOptional ? (rule.unwrap() as z.ZodType) : rule;
}
