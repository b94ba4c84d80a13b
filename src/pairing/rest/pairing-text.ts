/**
 * The answer to a pairing as JSON text. It says what `wirePairing` says, written directly: objects made
 * only to be read once by `JSON.stringify` are a quarter of what a pairing over HTTP costs.
 */
import type { PairedProvider, PairingResult } from "../protocol.ts";
import { JsonText } from "./json-text.ts";
import { wirePairing, wireWhole } from "./wire.ts";

/** The text of an answer; what is rare in it is left to the plain way. */
export function pairingText(result: PairingResult, auditId: string | undefined): JsonText {
  const { topProviders, filteredCount, rankedCount, survivors, scorerErrors, blockedBy } = result;
  if (survivors !== undefined || scorerErrors !== undefined || blockedBy !== undefined) {
    return new JsonText(JSON.stringify({ ...wirePairing(result), auditId }));
  }
  let text = '{"providers":[';
  for (let i = 0; i < topProviders.length; i++) {
    if (i > 0) text += ",";
    text += pickText(topProviders[i] as PairedProvider);
  }
  text += `],"filtered":${filteredCount},"ranked":${rankedCount},"version":${result.version}`;
  text += `,"cache":"${result.cache}","processingTimeUs":${numberText(result.processingTimeUs)}`;
  if (auditId !== undefined) text += `,"auditId":${JSON.stringify(auditId)}`;
  return new JsonText(`${text}}`);
}

function pickText({ address, score, components, stake, location, u, key }: PairedProvider): string {
  let text = `{"address":${JSON.stringify(address)},"score":${numberText(score)}`;
  if (components !== undefined) text += `,"components":${componentsText(components)}`;
  if (u !== undefined) text += `,"u":${numberText(u)}`;
  if (key !== undefined) text += `,"key":${numberText(key)}`;
  const whole = wireWhole(stake);
  text += `,"stake":${typeof whole === "number" ? whole : `"${whole}"`}`;
  return `${text},"location":${JSON.stringify(location)}}`;
}

function componentsText(components: Readonly<Record<string, number | null>>): string {
  let text = "";
  for (const name in components) {
    if (text !== "") text += ",";
    text += `${JSON.stringify(name)}:${numberText(components[name])}`;
  }
  return `{${text}}`;
}

/** As JSON has it: what is no number is null. */
const numberText = (value: number | null | undefined): string =>
  Number.isFinite(value) ? String(value) : "null";
