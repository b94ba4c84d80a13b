/** The events of the program over the admin socket, as they come. */
import { anyone, type Command } from "./command.ts";

/** The command. */
export const EVENT_COMMANDS: Readonly<Record<string, Command>> = {
  subscribe: {
    summary: "Streams events; dropped and counted when the client does not keep up.",
    role: anyone,
    args: {
      topic: { kind: "choice", meaning: "what to stream", choices: ["events"], isRequired: true },
      match: { kind: "text", meaning: "event name, or prefix ending in *" },
    },
    run: ({ match = "*" }, deps, connection) => ({
      sub: connection.open((stream) =>
        deps.events.attach((event, fields) => {
          if (isMatch(String(match), event)) stream.push({ name: event, ...fields });
        }),
      ),
    }),
  },
};

/** `a.b` matches itself, `a.*` everything that begins with `a.`. */
function isMatch(match: string, name: string): boolean {
  return match.endsWith("*") ? name.startsWith(match.slice(0, -1)) : name === match;
}
