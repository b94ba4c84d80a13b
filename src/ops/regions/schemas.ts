/** OpenAPI of what regions share; docs/regions.md says what each member means. */
import { OWN_STATES, PEER_STATES, REFUSALS } from "../../cluster/protocol.ts";
import {
  flag,
  type Json,
  list,
  nullable,
  number,
  object,
  oneOf,
  ratio,
  text,
  whole,
} from "../json-schema.ts";

const traffic = object({ messages: whole, bytes: whole });
/** By region, or by reason. */
const counts: Json = { type: "object", additionalProperties: whole };

/** Schemas by name. */
export const REGION_SCHEMAS: Readonly<Record<string, Json>> = {
  Regions: object({
    state: oneOf(...OWN_STATES),
    reason: nullable(text),
    regions: list(
      object({
        region: text,
        self: flag,
        state: oneOf(...new Set([...OWN_STATES, ...PEER_STATES])),
        incarnation: whole,
        age_ms: whole,
        version: nullable(text),
        url: nullable(text),
        chains: list(text),
        in_flight: nullable(whole),
        usable_providers: nullable(whole),
        providers: nullable(whole),
        helps: list(text),
        distance_ms: nullable(number),
        names: whole,
        rows: whole,
      }),
    ),
    refused: object(Object.fromEntries(REFUSALS.map((one) => [one, whole]))),
    sent: traffic,
    received: traffic,
    help: {
      anyOf: [
        object({ asked: counts, given: counts, refused: counts, in_flight: whole }),
        { type: "null" },
      ],
    },
  }),
};

/** Leaderboards of other regions, in the answer of a leaderboard with `?region=`. */
export const sharedBoardsSchema: Json = list(
  object({
    region: text,
    state: oneOf(...PEER_STATES),
    age_ms: whole,
    leaderboard: list(
      object({ subject: text, provider: text, score: ratio, weight: number, ratio, ms: number }),
    ),
  }),
);
