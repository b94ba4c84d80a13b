/**
 * Loaded before a lane (`--import`): how long its loop is held at most from one SIGUSR2 to the next,
 * written to the file that `TURN_FILE` names.
 */
import { writeFileSync } from "node:fs";
import { longestTurn } from "../support/longest-turn.ts";

const file = process.env["TURN_FILE"];
let end: (() => void) | undefined;

const watch = async (): Promise<void> => {
  const turn = await longestTurn(
    () =>
      new Promise<void>((resolve) => {
        end = resolve;
      }),
  );
  if (file !== undefined) writeFileSync(file, JSON.stringify(turn));
};

process.on("SIGUSR2", () => {
  if (end === undefined) void watch();
  else end();
});
