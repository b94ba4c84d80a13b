/**
 * Preload (`node --import`): src/otp is loaded with one mistake in it, named by OTP_MUTATION.
 *
 * The source on disk and in the product stays as it is; the change is made while the module loads,
 * and a change that no longer fits the source is an error.
 */
import { registerHooks } from "node:module";
import { MUTATIONS } from "./list.ts";

const mutation = MUTATIONS[Number(process.env["OTP_MUTATION"])];
if (mutation === undefined) throw new Error("OTP_MUTATION is the index of a mutation");
const { file, changes, mistake } = mutation;

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    if (!url.endsWith(`/src/otp/${file}`)) return loaded;
    const { source } = loaded;
    const text =
      typeof source === "string" ? source : Buffer.from(source as ArrayBuffer).toString();
    return { ...loaded, source: changed(text) };
  },
});

function changed(source: string): string {
  return changes.reduce((text, [right, wrong]) => {
    const parts = text.split(right);
    if (parts.length !== 2) {
      throw new Error(
        `mutation "${mistake}": ${file} holds ${parts.length - 1} times instead of once: ${right}`,
      );
    }
    return parts.join(wrong);
  }, source);
}
