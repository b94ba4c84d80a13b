/** The cluster over the admin socket. */
import { anyone, type Command } from "../admin/command.ts";
import { regionsReport } from "./report.ts";

/** Names shown when nothing is said, and at most. */
const USUAL_NAMES = 200;
const MAX_NAMES = 5_000;

/** The commands. */
export const REGION_COMMANDS: Readonly<Record<string, Command>> = {
  regions: {
    summary: "The regions of the cluster, what they share, and what was refused.",
    role: anyone,
    args: {},
    run: (_, deps) => regionsReport(deps.cluster.view()),
  },
  names: {
    summary: "Registered names of all regions that begin with a prefix.",
    role: anyone,
    args: {
      prefix: { kind: "text", meaning: "how they begin" },
      region: { kind: "text", meaning: "only of this region" },
      limit: { kind: "whole", meaning: "rows", min: 1, max: MAX_NAMES },
    },
    run: ({ prefix = "", region, limit = USUAL_NAMES }, deps) => ({
      names: deps.cluster.select(
        String(prefix),
        Number(limit),
        region === undefined ? undefined : String(region),
      ),
    }),
  },
};
